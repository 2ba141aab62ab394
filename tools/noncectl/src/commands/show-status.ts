import { EXIT, type ExitCode } from '../exit-codes';
import type { ApiClient } from '../http/api-client';
import type { Overview } from '../http/answers';
import { columns } from '../output/columns';
import type { Style } from '../output/style';
import { show, type Terminal } from '../output/terminal';
import { modeLines } from './show-mode';

/** Mode and health; exit code 3 when a part is not well, or Redis had to be left. */
export async function showStatus(api: ApiClient, terminal: Terminal): Promise<ExitCode> {
  const overview = await api.call<Overview>('/v1/ops/overview');
  const { mode, health } = overview;
  show(terminal, overview, () => [
    ...modeLines(mode, terminal.style),
    '',
    ...columns(Object.entries(health).map(([part, facts]) => rowOf(part, facts, terminal.style))),
  ]);
  return overview.healthy && mode.mode !== 'DEGRADED' ? EXIT.ok : EXIT.problemsFound;
}

/** Facts of a part in one line: its status first, then what else is known of it. */
function rowOf(part: string, facts: unknown, style: Style): readonly string[] {
  if (typeof facts !== 'object' || facts === null) return [part, String(facts)];
  const { status, ...others } = facts as Readonly<Record<string, unknown>>;
  const rest = Object.entries(others)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${wordOf(value)}`);
  const word = typeof status === 'string' ? status : '';
  const shown = word === 'up' ? style.good(word) : style.bad(word);
  return [part, [word === '' ? '' : shown, ...rest].filter((text) => text !== '').join(', ')];
}

function wordOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
