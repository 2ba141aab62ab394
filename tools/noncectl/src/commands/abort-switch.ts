import type { ApiClient } from '../http/api-client';
import type { ModeSwitch } from '../http/answers';
import { switchLines } from '../output/show-switch';
import { show, type Terminal } from '../output/terminal';

/** Ends what the running switch still does; the mode that it recorded stays. */
export async function abortSwitch(
  api: ApiClient,
  terminal: Terminal,
  reason: string,
): Promise<void> {
  const call = { method: 'POST', body: { reason } } as const;
  const aborted = await api.call<ModeSwitch>('/v1/ops/mode/abort', call);
  show(terminal, aborted, () => switchLines(aborted, terminal.style));
}
