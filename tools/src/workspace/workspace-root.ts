import { resolve } from 'node:path';

/** The repository, seen from the sources as well as from the build: both lie three levels below. */
export const WORKSPACE_ROOT = resolve(__dirname, '../../..');
