#!/usr/bin/env node
// Committed, because npm links only programs that are there when it installs; the rest is built.
require('../dist/main.js');
