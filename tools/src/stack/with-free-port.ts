import { findFreePort } from './free-port';
import { StackError } from './stack-error';

const ATTEMPTS_MAX = 5;
const PORT_TAKEN = /address (is )?already in use|EADDRINUSE|AddrInUse/i;

/**
 * Starts a server on a free port, and on another one when somebody took the port between the look
 * and the bind. Any other failure is passed on at once.
 */
export async function withFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await findFreePort());
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isPortTaken(error)) throw error;
    }
  }
}

/** Whether a server's failure to start says that its port belongs to somebody else. */
function isPortTaken(error: unknown): boolean {
  return error instanceof StackError && PORT_TAKEN.test(error.message);
}
