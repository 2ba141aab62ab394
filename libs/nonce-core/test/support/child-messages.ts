import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

const STDOUT = 1;

/**
 * Reports to the test that started this process. Written at once and not through a stream, so that
 * it has arrived even when the next line of the script is `process.kill(process.pid, 'SIGKILL')`.
 */
export function report(message: unknown): void {
  writeSync(STDOUT, `${JSON.stringify(message)}\n`);
}

/** What the test sends, until it ends this process's input. */
export async function* commands<Command = unknown>(): AsyncGenerator<Command> {
  for await (const line of createInterface({ input: process.stdin })) {
    yield JSON.parse(line) as Command;
  }
}
