import type { ApiClient } from '../http/api-client';
import type { Prefetch } from '../http/answers';
import { columns } from '../output/columns';
import { show, type Terminal } from '../output/terminal';

const PATH = '/v1/ops/prefetch';

/** What is left out stays as it is. */
export interface PrefetchChange {
  readonly size?: number;
  readonly lowWater?: number;
  readonly max?: number;
  readonly reason?: string;
}

export async function showPrefetch(api: ApiClient, terminal: Terminal): Promise<void> {
  showSizes(terminal, await api.call<Prefetch>(PATH));
}

export async function setPrefetch(
  api: ApiClient,
  terminal: Terminal,
  change: PrefetchChange,
): Promise<void> {
  const { size, lowWater, max } = await api.call<Prefetch>(PATH);
  const body = { size, lowWater, max, ...change };
  showSizes(terminal, await api.call<Prefetch>(PATH, { method: 'PUT', body }));
}

function showSizes(terminal: Terminal, sizes: Prefetch): void {
  show(terminal, sizes, () =>
    columns([
      ['size', `${sizes.size} nonces`],
      ['low water', `${sizes.lowWater} nonces`],
      ['max', `${sizes.max} nonces`],
      ['from', sizes.tuned ? 'an operator, for all nodes' : 'the configuration of this node'],
    ]),
  );
}
