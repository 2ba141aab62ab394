import type { Submitter } from '../domain/submitter';

/** Keys of one submitter in the order in which the scripts take them. */
type SubmitterKeys = readonly string[];

interface FastKeyOptions {
  /** First part of every key. */
  readonly prefix: string;
  /** Shards of the whole installation: every process must be given the same number. */
  readonly shards: number;
}

const FAST_KEY_DEFAULTS: FastKeyOptions = { prefix: 'nonce', shards: 64 };

/** Submitters whose keys are remembered; beyond that they are put together again. */
const MAX_REMEMBERED = 10_000;

/** What a script run may touch of a submitter. All of it is declared, as a Cluster demands. */
const SUBMITTER_KEY_ENDINGS = ['state', 'free', 'held', 'snap', 'ops', 'ids0', 'ids1'] as const;

/** Names of the keys. All keys of a shard carry its hash tag, so that one script may use them. */
export class FastKeys {
  readonly shards: number;
  private readonly prefix: string;
  private readonly remembered = new Map<Submitter, SubmitterKeys>();

  constructor(options: Partial<FastKeyOptions> = {}) {
    const resolved = { ...FAST_KEY_DEFAULTS, ...options };
    this.shards = resolved.shards;
    this.prefix = resolved.prefix;
  }

  shardOf(submitter: Submitter): number {
    return fnv1a(submitter) % this.shards;
  }

  /** Epoch of the mode and its drain flag. */
  mode(shard: number): string {
    return this.ofShard(shard, 'mode');
  }

  /** Stream of events that Postgres has not heard of yet. */
  events(shard: number): string {
    return this.ofShard(shard, 'events');
  }

  /** What Postgres has decided about a submitter while Redis only mirrors. */
  mirror(submitter: Submitter): string {
    return this.ofShard(this.shardOf(submitter), `mirror:${submitter}`);
  }

  /** Who compares the mirror with Postgres, and what was found: one of each per installation. */
  mirrorWatch(ending: 'lead' | 'standing'): string {
    return this.ofShard(0, `mirror-${ending}`);
  }

  ofSubmitter(submitter: Submitter): SubmitterKeys {
    const known = this.remembered.get(submitter);
    if (known !== undefined) return known;
    const shard = this.shardOf(submitter);
    const keys = SUBMITTER_KEY_ENDINGS.map((ending) =>
      this.ofShard(shard, `${submitter}:${ending}`),
    );
    if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
    this.remembered.set(submitter, keys);
    return keys;
  }

  private ofShard(shard: number, ending: string): string {
    return `${this.prefix}:{${String(shard)}}:${ending}`;
  }
}

/** FNV-1a, 32 bits: the same on every node and for ever, which no built-in hash promises. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}
