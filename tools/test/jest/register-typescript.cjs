/**
 * `node -r` hook that runs TypeScript sources as the tests see them: the same compiler options and
 * the same aliases as Jest. For the real processes that multi-process and crash tests start.
 */
const { readFileSync } = require('node:fs');
const { Module } = require('node:module');
const { join } = require('node:path');
const { transformSync } = require('@swc/core');
const aliases = require('./source-aliases.cjs');
const swcOptions = require('./swc-options.cjs');

Module._extensions['.ts'] = (module, filename) => {
  const source = readFileSync(filename, 'utf8');
  module._compile(transformSync(source, { ...swcOptions, filename }).code, filename);
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function resolveAlias(request, ...rest) {
  return resolveFilename.call(this, sourceOf(request), ...rest);
};

function sourceOf(request) {
  const whole = aliases.names[request];
  if (whole !== undefined) return whole;
  for (const [start, folder] of Object.entries(aliases.folders)) {
    if (request.startsWith(start)) return join(folder, request.slice(start.length));
  }
  return request;
}

process.setSourceMapsEnabled(true);
