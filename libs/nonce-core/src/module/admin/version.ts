import { readFileSync } from 'node:fs';

export interface Version {
  readonly name: string;
  readonly version: string;
  readonly node: string;
}

/** From the package's own manifest, so that it can never differ from what was built. */
export function readVersion(manifestPath: string): Version {
  const { name, version } = JSON.parse(readFileSync(manifestPath, 'utf8')) as Version;
  return { name, version, node: process.version };
}
