import { ChildProcess } from 'node:child_process';
import { Server, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Connections and processes that are being closed need a moment to be gone. */
const GRACE_MS = 3_000;
const POLL_MS = 25;

interface NodeInternals {
  _getActiveHandles(): readonly object[];
}

/**
 * What has come into being since this object was built and would keep Node alive: a connection, a
 * listening server, a child process, a timer. Costs nothing while all is well, unlike Jest's
 * --detectOpenHandles, which serialises the run.
 */
export class Leftovers {
  private readonly handlesBefore: ReadonlySet<object> = new Set(activeHandles());
  private readonly timersBefore = activeTimers();

  /** Names what is still there after a grace period; empty as soon as nothing is. */
  async collect(graceMs: number = GRACE_MS): Promise<readonly string[]> {
    const deadlineMs = performance.now() + graceMs;
    for (;;) {
      const found = [...this.newHandles().map(nameOf), ...this.newTimers()];
      if (found.length === 0 || performance.now() > deadlineMs) return found;
      await delay(POLL_MS);
    }
  }

  /** Ends what can be ended from outside, so that the next test file does not suffer from it. */
  end(): void {
    for (const handle of this.newHandles()) {
      if (handle instanceof ChildProcess) handle.kill('SIGKILL');
      if (handle instanceof Socket) handle.destroy();
      if (handle instanceof Server) handle.close();
    }
  }

  private newHandles(): readonly object[] {
    return activeHandles().filter((handle) => !this.handlesBefore.has(handle) && !isStdio(handle));
  }

  private newTimers(): readonly string[] {
    const extra = activeTimers() - this.timersBefore;
    return extra > 0 ? [`${String(extra)} timer(s)`] : [];
  }
}

function activeHandles(): readonly object[] {
  return (process as unknown as NodeInternals)._getActiveHandles();
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
}

/** Node opens its own standard streams only when somebody first writes to them. */
function isStdio(handle: object): boolean {
  return 'fd' in handle && typeof handle.fd === 'number' && handle.fd >= 0 && handle.fd <= 2;
}

function nameOf(handle: object): string {
  if (handle instanceof ChildProcess) {
    return `process ${String(handle.pid)} (${handle.spawnargs.slice(0, 4).join(' ')})`;
  }
  if (handle instanceof Socket) {
    return `connection to ${String(handle.remoteAddress)}:${String(handle.remotePort)}`;
  }
  if (handle instanceof Server) return `server on ${JSON.stringify(handle.address())}`;
  return handle.constructor.name;
}
