import type { EngineMode } from '@noncekit/nonce-core/domain';
import { EXIT, type ExitCode } from '../exit-codes';
import { Failure } from '../failure';
import type { ApiClient } from '../http/api-client';
import type { DryRun, Mode, ModeSwitch } from '../http/answers';
import { checkLines } from '../output/show-checks';
import { switchLines } from '../output/show-switch';
import { show, type Terminal } from '../output/terminal';
import { followSwitch } from './follow-switch';

export interface SwitchOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly waitMs: number;
  readonly ifEpoch?: number;
}

interface Order {
  readonly mode: EngineMode;
  readonly options: SwitchOptions;
}

/**
 * Orders a switch, against the epoch that was given or else the one in force now: whoever switches
 * in between wins, and this one is told.
 */
export async function switchMode(
  api: ApiClient,
  terminal: Terminal,
  { mode, options }: Order,
): Promise<ExitCode> {
  const epoch = options.ifEpoch ?? (await api.call<Mode>('/v1/ops/mode')).epoch;
  const order = {
    method: 'PUT',
    headers: { 'if-match': `"${epoch}"` },
    body: { mode, reason: options.reason, ...(options.dryRun === true ? { dryRun: true } : {}) },
  } as const;
  if (options.dryRun === true) {
    return showDryRun(terminal, await api.call<DryRun>('/v1/ops/mode', order));
  }
  const begun = await api.call<ModeSwitch>('/v1/ops/mode', order);
  if (options.wait === true) {
    return endOf(await followSwitch({ api, terminal, begun, waitMs: options.waitMs }));
  }
  show(terminal, begun, () => switchLines(begun, terminal.style));
  return endOf(begun);
}

function showDryRun(terminal: Terminal, answer: DryRun): ExitCode {
  const { good, bad } = terminal.style;
  show(terminal, answer, () => [
    ...checkLines(answer.checks, terminal.style),
    answer.possible ? good(`${answer.mode} is possible`) : bad(`${answer.mode} is refused`),
  ]);
  return answer.possible ? EXIT.ok : EXIT.problemsFound;
}

function endOf({ id, state, to }: ModeSwitch): ExitCode {
  if (state !== 'aborted') return EXIT.ok;
  throw new Failure({
    code: 'NONCECTL_SWITCH_ABORTED',
    detail: `switch ${id} to ${to} was ended before it was done`,
    fix: 'Read `noncectl mode history` to see what came first, and order again if it is still wanted.',
    exitCode: EXIT.conflict,
  });
}
