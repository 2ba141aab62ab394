import type {
  AllocateBatch,
  AllocationStore,
  HolderRow,
} from '../../src/ports/allocation-store.port';
import type { QuarantinePolicy } from '../../src/domain/quarantine-policy';

/**
 * A store behind a network that keeps a copy of everything it carries. The test delivers the copies
 * later, in any order, as often as it likes; what they are answered reaches nobody.
 */
export class LateDuplicates implements AllocationStore {
  private readonly copies: (() => Promise<unknown>)[] = [];

  constructor(private readonly store: AllocationStore) {}

  get waiting(): number {
    return this.copies.length;
  }

  allocate(batch: AllocateBatch): ReturnType<AllocationStore['allocate']> {
    // What is delivered again after an unknown outcome says so, as the engine's own tries do.
    this.copies.push(() => this.store.allocate({ ...batch, retry: true }));
    return this.store.allocate(batch);
  }

  command(
    rows: readonly HolderRow[],
    quarantine: QuarantinePolicy,
  ): ReturnType<AllocationStore['command']> {
    this.copies.push(() => this.store.command(rows, quarantine));
    return this.store.command(rows, quarantine);
  }

  open(...parameters: Parameters<AllocationStore['open']>): Promise<void> {
    this.copies.push(() => this.store.open(...parameters));
    return this.store.open(...parameters);
  }

  findById(id: string): ReturnType<AllocationStore['findById']> {
    return this.store.findById(id);
  }

  /** Delivers one copy, picked by the random number, and forgets it. */
  async deliverOne(random: number): Promise<void> {
    const [copy] = this.copies.splice(Math.floor(random * this.copies.length), 1);
    await copy?.();
  }
}
