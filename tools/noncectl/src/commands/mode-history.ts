import type { ApiClient } from '../http/api-client';
import type { ModeSwitch, Switches } from '../http/answers';
import { columns } from '../output/columns';
import { duration } from '../output/duration';
import type { Style } from '../output/style';
import { show, type Terminal } from '../output/terminal';

interface HistoryOptions {
  readonly limit: number;
  readonly before?: number;
}

/** Newest first. */
export async function modeHistory(
  api: ApiClient,
  terminal: Terminal,
  { limit, before }: HistoryOptions,
): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (before !== undefined) query.set('before', String(before));
  const page = await api.call<Switches>(`/v1/ops/mode/switches?${query.toString()}`);
  show(terminal, page, () => historyLines(page, terminal.style));
}

function historyLines({ items, nextBefore }: Switches, style: Style): readonly string[] {
  if (items.length === 0) return ['no switch so far'];
  const head = ['id', 'started', 'from → to', 'state', 'took', 'by', 'reason'].map(style.faint);
  const more = nextBefore === null ? [] : [style.faint(`older: --before ${nextBefore}`)];
  return [...columns([head, ...items.map((one) => rowOf(one, style))]), ...more];
}

function rowOf(one: ModeSwitch, style: Style): readonly string[] {
  const { startedAt, endedAt } = one;
  const took = endedAt === null ? '' : duration(Date.parse(endedAt) - Date.parse(startedAt));
  const state = one.state === 'aborted' ? style.bad(one.state) : one.state;
  const by = one.automatic ? `${one.by} (by itself)` : one.by;
  return [String(one.id), startedAt, `${one.from} → ${one.to}`, state, took, by, one.reason];
}
