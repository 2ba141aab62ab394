import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import {
  WitnessBook,
  type ServerStart,
  type Witness,
  type WitnessedFacts,
} from '../domain/witness';
import type { Clock } from '../ports/clock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import type { WitnessStore } from '../ports/witness.port';

export interface WitnessPlacesDeps {
  /** Durable places; empty when neither a folder nor Redis is configured. */
  readonly stores: readonly WitnessStore[];
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** How long a place may keep the others' callers waiting once one place has it. */
const GRACE_MS = 250;
/** A submitter costs about 200 bytes here; one that is forgotten is still in the durable places. */
const REMEMBERED_MAX = 200_000;

/**
 * Every place that remembers, and what this process remembers itself. A fact is kept as soon as one
 * durable place has it and the others have had their time.
 */
export class WitnessPlaces {
  /** What this process has told, or found in the database when it verified it. */
  readonly memory = new WitnessBook();
  private readonly failing = new Set<string>();

  constructor(private readonly deps: WitnessPlacesDeps) {}

  remember(witnesses: readonly Witness[]): void {
    for (const witness of witnesses) {
      this.memory.raise(witness);
      if (this.memory.size > REMEMBERED_MAX) this.memory.forgetOldest();
    }
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE when no place kept it. */
  async keep(server: ServerStart, witnesses: readonly Witness[]): Promise<void> {
    const { stores, clock } = this.deps;
    if (stores.length === 0) return;
    const tried = stores.map((store) => this.keepIn(store, server, witnesses));
    const oneKept = Promise.any(
      tried.map(async (attempt) => {
        if (!(await attempt)) throw new Error('not kept');
      }),
    );
    const allTold = Promise.all(tried);
    try {
      await oneKept;
    } catch {
      const context = { store: 'witness', places: stores.map((store) => store.name) };
      throw new NonceError('NONCE_STORE_UNAVAILABLE', { context });
    }
    const waiting = new AbortController();
    await Promise.race([allTold, clock.sleep(GRACE_MS, waiting.signal)]);
    waiting.abort();
  }

  /** One answer per place; null for what cannot be read. This process is a place once it verified. */
  async read(): Promise<readonly (WitnessedFacts | null)[]> {
    const { memory } = this;
    const own: WitnessedFacts = { server: memory.server, witnesses: memory.all() };
    const others = await Promise.all(this.deps.stores.map((store) => this.readFrom(store)));
    return [...(memory.server === null ? [] : [own]), ...others];
  }

  /** Never rejects: false when it was not kept. */
  private async keepIn(
    store: WitnessStore,
    server: ServerStart,
    witnesses: readonly Witness[],
  ): Promise<boolean> {
    try {
      const answer = await store.keep(server, witnesses);
      const known = this.memory.all();
      // It was emptied since it was told: tell it again what is not its own to forget.
      if (answer === 'forgetful' && known.length > 0) await store.keep(server, known);
      this.tell(store, 'kept');
      return true;
    } catch (error) {
      this.tell(store, 'failed', error);
      return false;
    }
  }

  private async readFrom(store: WitnessStore): Promise<WitnessedFacts | null> {
    try {
      return await store.read();
    } catch (error) {
      this.tell(store, 'failed', error);
      return null;
    }
  }

  private tell(store: WitnessStore, result: 'kept' | 'failed', error?: unknown): void {
    const place = store.name;
    this.deps.metrics.count('nonce_witness_keeps_total', { place, result });
    if (result === 'kept') {
      if (this.failing.delete(place)) this.deps.logger.info('a witness works again', { place });
    } else if (!this.failing.has(place)) {
      this.failing.add(place);
      this.deps.logger.error('a witness cannot be used', { place, reason: String(error) });
    }
  }
}

/** The highest fact per submitter of all places, or of one submitter. */
export function mergedWitnesses(
  places: readonly (WitnessedFacts | null)[],
  only?: Submitter,
): readonly Witness[] {
  const book = new WitnessBook();
  for (const place of places) for (const witness of place?.witnesses ?? []) book.raise(witness);
  return book.all().filter(({ submitter }) => (only ?? submitter) === submitter);
}
