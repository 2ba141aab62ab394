import { setTimeout as sleep } from 'node:timers/promises';
import type { EventSourceMessage } from 'eventsource-parser';
import { EXIT, type ExitCode } from '../exit-codes';
import { Failure } from '../failure';
import type { ApiClient } from '../http/api-client';
import type { Terminal } from '../output/terminal';

const PAUSE_MS = 1_000;
const PATH = '/v1/events';
/** What a server says that cannot tell what was missed; it is always shown. */
const RESET = 'stream.reset';

export interface EventOptions {
  /** Only events whose name begins so. */
  readonly name?: string;
  readonly submitter?: string;
  /** Goes on behind this event. */
  readonly after?: string;
  /** Ends after so many that were shown. */
  readonly count?: number;
}

/**
 * Shows events as they happen, one per line, and goes on after a lost connection where it was. Ends
 * by itself only with `count`.
 */
export async function followEvents(
  api: ApiClient,
  terminal: Terminal,
  options: EventOptions,
): Promise<ExitCode> {
  let lastId = options.after ?? null;
  let connected = false;
  let shown = 0;
  for (;;) {
    try {
      for await (const message of api.events(PATH, lastId)) {
        connected = true;
        lastId = message.id ?? lastId;
        if (!isWanted(message, options)) continue;
        terminal.out(lineOf(message, terminal));
        shown += 1;
        if (shown === options.count) return EXIT.ok;
      }
    } catch (error) {
      // Whoever was never let in will not be let in by asking again.
      if (!connected || !isLost(error)) throw error;
    }
    terminal.err(terminal.style.faint('the connection ended; connecting again'));
    await sleep(PAUSE_MS);
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Failure && error.facts.exitCode === EXIT.unreachable;
}

function isWanted({ event = '', data }: EventSourceMessage, options: EventOptions): boolean {
  if (event === RESET) return true;
  if (!event.startsWith(options.name ?? '')) return false;
  const { submitter } = options;
  if (submitter === undefined) return true;
  const of = submitterOf(data)?.toLowerCase();
  // A bare address is that one of any chain.
  return of === submitter.toLowerCase() || of?.endsWith(`:${submitter.toLowerCase()}`) === true;
}

function submitterOf(data: string): string | undefined {
  const { submitter, subject } = JSON.parse(data) as { submitter?: string; subject?: string };
  return submitter ?? subject;
}

function lineOf({ id = '', event = '', data }: EventSourceMessage, terminal: Terminal): string {
  if (terminal.json) return JSON.stringify({ id, event, data: JSON.parse(data) as unknown });
  const fields = Object.entries(JSON.parse(data) as Record<string, unknown>);
  const text = fields.map(([name, value]) => `${name}=${String(value)}`).join(' ');
  const { style } = terminal;
  const time = style.faint(new Date().toISOString());
  return `${time} ${event === RESET ? style.bad(event) : style.strong(event)} ${text}`;
}
