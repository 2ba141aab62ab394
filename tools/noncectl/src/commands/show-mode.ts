import type { ApiClient } from '../http/api-client';
import type { Mode } from '../http/answers';
import { columns } from '../output/columns';
import { duration } from '../output/duration';
import type { Style } from '../output/style';
import { show, type Terminal } from '../output/terminal';

export async function showMode(api: ApiClient, terminal: Terminal): Promise<void> {
  const mode = await api.call<Mode>('/v1/ops/mode');
  show(terminal, mode, () => modeLines(mode, terminal.style));
}

export function modeLines(mode: Mode, style: Style): readonly string[] {
  const age = duration(mode.ageMs);
  const stays = mode.pinned ? 'yes: nothing returns or promotes by itself' : 'no';
  return columns([
    ['mode', style.strong(mode.mode)],
    ['epoch', String(mode.epoch)],
    ['since', `${mode.since} (${age})`],
    ['by', `${mode.by}: ${mode.reason}`],
    ['pinned', stays],
    ...(mode.returnTo === null ? [] : [['returns to', mode.returnTo]]),
    ...(mode.runningSwitch === null ? [] : [['switch', `${mode.runningSwitch} goes on`]]),
    ['may follow', mode.mayFollow.join(', ')],
  ]);
}
