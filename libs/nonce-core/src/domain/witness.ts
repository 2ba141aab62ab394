import type { Epoch } from './epoch';
import type { Submitter } from './submitter';

/** One uninterrupted run of one database, and how far its log was durable when it was looked at. */
export interface ServerStart {
  /** pg_control_system(): differs between clusters that were never the same. */
  readonly systemId: string;
  /** pg_postmaster_start_time(), microseconds since 1970 as decimal text. */
  readonly startedAt: string;
  /** Timeline of the log: another one after a failover or a recovery to a point in time. */
  readonly timeline: string;
  /** Flushed position of the log, bytes as decimal text: a database that lost commits has a lower one. */
  readonly lsn: string;
}

/** "At least this epoch and ceiling were granted once": kept outside the database. */
export interface Witness {
  readonly submitter: Submitter;
  readonly epoch: Epoch;
  readonly ceiling: number;
}

/** What a place remembers. */
export interface WitnessedFacts {
  /** The latest run of the database that was witnessed; null when none was. */
  readonly server: ServerStart | null;
  readonly witnesses: readonly Witness[];
}

/**
 * The highest fact known per submitter, and the latest run of the database. Facts only rise: order
 * and repetition of what is told to it change nothing.
 */
export class WitnessBook {
  private readonly known = new Map<Submitter, Witness>();
  private latest: ServerStart | null = null;

  get server(): ServerStart | null {
    return this.latest;
  }

  get size(): number {
    return this.known.size;
  }

  find(submitter: Submitter): Witness | undefined {
    return this.known.get(submitter);
  }

  all(): readonly Witness[] {
    return [...this.known.values()];
  }

  /** The witness as it is known now, when that is more than was known; undefined when it is not. */
  raise(witness: Witness): Witness | undefined {
    const { submitter, epoch, ceiling } = witness;
    const before = this.known.get(submitter);
    if (before !== undefined && before.epoch >= epoch && before.ceiling >= ceiling)
      return undefined;
    const raised: Witness = {
      submitter,
      epoch: before !== undefined && before.epoch > epoch ? before.epoch : epoch,
      ceiling: Math.max(before?.ceiling ?? 0, ceiling),
    };
    this.known.set(submitter, raised);
    return raised;
  }

  /** True when this run, or a later position in it, was not known. */
  see(server: ServerStart): boolean {
    if (this.latest !== null && !isLater(server, this.latest)) return false;
    this.latest = server;
    return true;
  }

  /** Forgets the submitter that was told of first; used where a limit holds. */
  forgetOldest(): void {
    const oldest = this.known.keys().next();
    if (oldest.done !== true) this.known.delete(oldest.value);
  }
}

/** Runs follow each other by their start; within one run the log only grows. */
function isLater(server: ServerStart, than: ServerStart): boolean {
  const startedAt = BigInt(server.startedAt);
  const before = BigInt(than.startedAt);
  if (startedAt !== before) return startedAt > before;
  return BigInt(server.lsn) > BigInt(than.lsn);
}
