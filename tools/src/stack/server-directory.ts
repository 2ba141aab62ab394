import { chownSync, mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cleanDirectory, keepDirectory } from './watchdog';
import type { UnprivilegedAccount } from './unprivileged-account';

/** Where one server keeps its files: given and kept, or temporary and removed with the server. */
export class ServerDirectory {
  private constructor(
    readonly path: string,
    private readonly temporary: boolean,
  ) {}

  static open(given: string | undefined, owner?: UnprivilegedAccount): ServerDirectory {
    const directory =
      given === undefined
        ? new ServerDirectory(mkdtempSync(join(tmpdir(), 'noncekit-')), true)
        : new ServerDirectory(resolve(given), false);
    mkdirSync(directory.path, { recursive: true });
    if (owner !== undefined) chownSync(directory.path, owner.uid, owner.gid);
    if (directory.temporary) cleanDirectory(directory.path);
    return directory;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** Removes a temporary directory with everything in it; a given one stays. */
  async release(): Promise<void> {
    if (!this.temporary) return;
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
    keepDirectory(this.path);
  }
}
