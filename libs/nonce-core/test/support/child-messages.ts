import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const STDOUT = 1;
const FULL_PIPE_MS = 1;
const PATIENCE = new Int32Array(new SharedArrayBuffer(4));

/**
 * Reports to the test that started this process. Written at once and not through a stream, so that
 * it has arrived even when the next line of the script is `process.kill(process.pid, 'SIGKILL')`.
 */
export function report(message: unknown): void {
  let rest = Buffer.from(`${JSON.stringify(message)}\n`);
  while (rest.length > 0) rest = rest.subarray(written(rest));
}

/** A reader that is behind is waited for: what is reported must not get lost. */
function written(bytes: Buffer): number {
  try {
    return writeSync(STDOUT, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(PATIENCE, 0, 0, FULL_PIPE_MS);
    return 0;
  }
}

/** What the test sends, until it ends this process's input. */
export async function* commands<Command = unknown>(): AsyncGenerator<Command> {
  for await (const line of createInterface({ input: process.stdin })) {
    yield JSON.parse(line) as Command;
  }
}
