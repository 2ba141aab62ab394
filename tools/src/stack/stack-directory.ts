import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isAlive } from './process-tree';
import { StackError } from './stack-error';

/** The folder of one stack, claimed by one process at a time. */
export class StackDirectory {
  private constructor(readonly path: string) {}

  /** @throws StackError when another living process works in it. */
  static claim(path: string): StackDirectory {
    const directory = new StackDirectory(resolve(path));
    mkdirSync(directory.path, { recursive: true });
    const ownerPid = directory.ownerPid();
    if (ownerPid !== undefined && ownerPid !== process.pid && isAlive(ownerPid)) {
      throw new StackError(
        `${directory.path} is in use by the stack of process ${String(ownerPid)}`,
        { fix: `end that process, or delete ${directory.claimPath} when it is something else` },
      );
    }
    writeFileSync(directory.claimPath, `${String(process.pid)}\n`);
    return directory;
  }

  folder(name: string): string {
    return join(this.path, name);
  }

  remove(name: string): void {
    rmSync(this.folder(name), { recursive: true, force: true });
  }

  release(): void {
    rmSync(this.claimPath, { force: true });
  }

  private get claimPath(): string {
    return this.folder('owner.pid');
  }

  private ownerPid(): number | undefined {
    try {
      const pid = Number(readFileSync(this.claimPath, 'utf8').trim());
      return Number.isInteger(pid) && pid > 0 ? pid : undefined;
    } catch {
      return undefined;
    }
  }
}
