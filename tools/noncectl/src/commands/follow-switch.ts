import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../exit-codes';
import { Failure } from '../failure';
import type { ApiClient } from '../http/api-client';
import type { ModeSwitch } from '../http/answers';
import { endLine, headOf, phaseLine, waitLine } from '../output/show-switch';
import type { Terminal } from '../output/terminal';

const LOOK_EVERY_MS = 200;

interface Following {
  readonly api: ApiClient;
  readonly terminal: Terminal;
  readonly begun: ModeSwitch;
  /** Longest time to wait, in milliseconds; the switch itself goes on after it. */
  readonly waitMs: number;
}

/**
 * Shows each phase when it has ended, and what a drain waits for when that changed, until all is done.
 * @throws Failure exit code 1 after `waitMs`
 */
export async function followSwitch(following: Following): Promise<ModeSwitch> {
  const { api, terminal, waitMs } = following;
  const tell = progressOf(terminal);
  const untilMs = performance.now() + waitMs;
  let one = following.begun;
  tell(one);
  while (one.state === 'running') {
    if (performance.now() >= untilMs) throw tooLong(one, waitMs);
    await sleep(LOOK_EVERY_MS);
    one = await api.call<ModeSwitch>(`/v1/ops/mode/switches/${one.id}`);
    tell(one);
  }
  if (terminal.json) terminal.out(JSON.stringify(one, null, 2));
  else terminal.out(endLine(one, terminal.style));
  return one;
}

/** Says what is new since the look before; nothing with `--json`. */
function progressOf({ json, style, out }: Terminal): (one: ModeSwitch) => void {
  const told = new Set<string>();
  const once = (key: string, line: string): void => {
    if (told.has(key)) return;
    told.add(key);
    out(line);
  };
  return (one) => {
    if (json) return;
    once('head', style.strong(headOf(one)));
    for (const phase of one.phases) {
      if (phase.endedAt !== null) once(phase.phase, phaseLine(phase, style));
    }
    if (one.state === 'running' && one.waitsFor !== null) {
      const line = waitLine(one.waitsFor);
      once(line, style.faint(line));
    }
  };
}

function tooLong({ id }: ModeSwitch, waitMs: number): Failure {
  return new Failure({
    code: 'NONCECTL_STILL_RUNNING',
    detail: `switch ${id} is not over after ${waitMs} ms; it goes on`,
    fix: 'Look again with `noncectl mode history`, or wait longer with --wait-ms.',
    exitCode: EXIT.failed,
  });
}
