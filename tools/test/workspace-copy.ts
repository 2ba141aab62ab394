import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WORKSPACE_ROOT } from '../src/workspace/workspace-root';

const PROJECTS = [
  'libs/nonce-core',
  'libs/chain-adapter',
  'apps/api',
  'apps/flush-worker',
  'tools',
];
const CONFIGURATION = [
  '.dependency-cruiser.cjs',
  'eslint.config.mjs',
  'nx.json',
  'package.json',
  'tsconfig.base.json',
  'tsconfig.eslint.json',
  ...PROJECTS.map((project) => `${project}/package.json`),
];

/** A second workspace with the real configuration and none of the sources. */
export class WorkspaceCopy {
  readonly root = mkdtempSync(join(tmpdir(), 'workspace-'));

  constructor() {
    for (const path of CONFIGURATION) {
      mkdirSync(dirname(join(this.root, path)), { recursive: true });
      copyFileSync(join(WORKSPACE_ROOT, path), join(this.root, path));
    }
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Packages come from the real workspace; the workspace's own are those of the copy. */
  linkPackages(): void {
    const real = join(WORKSPACE_ROOT, 'node_modules');
    const own = join(this.root, 'node_modules');
    mkdirSync(join(own, '@noncekit'), { recursive: true });
    for (const name of readdirSync(real)) {
      if (name === '@noncekit' || name === '.cache') continue;
      symlinkSync(join(real, name), join(own, name));
    }
    for (const project of PROJECTS) {
      const name = project.split('/').at(-1) ?? project;
      symlinkSync(join(this.root, project), join(own, '@noncekit', name));
    }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
