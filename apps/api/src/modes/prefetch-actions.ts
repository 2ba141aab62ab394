import {
  NonceError,
  prefetchProblems,
  type ModeSource,
  type ModeStore,
  type PrefetchTuning,
} from '@noncekit/nonce-core';
import { toPrefetchDto, type PrefetchDto } from './prefetch.dto';

interface PrefetchOrder {
  /** Name of the key that ordered it. */
  readonly actor: string;
  readonly reason: string;
}

/** Sizes of the ranges that Redis is given, changed while all nodes run. */
export class PrefetchActions {
  constructor(
    private readonly store: Pick<ModeStore, 'read' | 'tunePrefetch'>,
    private readonly view: Pick<ModeSource, 'refresh'>,
    private readonly configured: PrefetchTuning,
  ) {}

  async sizes(): Promise<PrefetchDto> {
    return toPrefetchDto((await this.store.read()).prefetch, this.configured);
  }

  /** @throws NonceError NONCE_VALIDATION when the sizes do not fit each other */
  async tune({ size, lowWater, max }: PrefetchTuning, order: PrefetchOrder): Promise<PrefetchDto> {
    const sizes = { size, lowWater, max };
    const errors = prefetchProblems(sizes).map(({ field, detail }) => ({
      pointer: `/${field}`,
      detail,
    }));
    if (errors.length > 0) throw new NonceError('NONCE_VALIDATION', { errors });
    await this.store.tunePrefetch(sizes, order.actor, order.reason);
    // Other nodes see it with their next look; this one need not wait for its own.
    await this.view.refresh();
    return this.sizes();
  }
}
