import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { pollUntil } from './poll-until';
import { StackError } from './stack-error';

/**
 * Below the range from which systems take the near end of outgoing connections (32768 on Linux,
 * 49152 elsewhere): otherwise a port could be taken by some client while its server restarts.
 * It also leaves room for the bus of a Redis Cluster node, which listens 10,000 higher.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const ATTEMPTS_MAX = 50;
const RELEASE_TIMEOUT_MS = 30_000;

/**
 * A loopback port on which nobody listened a moment ago. Somebody else may still be faster, so a
 * starter of servers has to try again with another port when its server could not bind.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
  throw new StackError(
    `no free port among ${String(ATTEMPTS_MAX)} tried between ${String(FIRST_PORT)} and ${String(LAST_PORT)}`,
    { fix: 'end servers that are no longer needed, or allow listening on 127.0.0.1' },
  );
}

/** `port` while nobody listens on it, else any free one. */
export async function preferPort(port: number): Promise<number> {
  return (await isFree(port)) ? port : findFreePort();
}

/** Waits until a server that has just ended has left its port. */
export async function untilFree(port: number): Promise<void> {
  const describe = `port ${String(port)} to become free again`;
  await pollUntil(() => isFree(port), { timeoutMs: RELEASE_TIMEOUT_MS, describe });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
