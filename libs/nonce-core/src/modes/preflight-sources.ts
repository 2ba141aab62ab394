import type { EngineMode } from '../domain/engine-mode';

/** What a Redis says of its own settings. */
export interface RedisSettings {
  /** Forbid the fast store, each with its mending: a version that is too old, eviction. */
  readonly problems: readonly string[];
  /** Cost something when Redis is lost, and forbid nothing. */
  readonly warnings: readonly string[];
}

export interface MirrorState {
  readonly inStep: boolean;
  readonly detail: string;
}

/** Where a preflight learns what it judges. Each may throw: that is a failed check. */
export interface PreflightSources {
  /** null where this process has no Redis. */
  readonly redis: {
    /** A script that writes and reads, in every shard. */
    canary(): Promise<void>;
    settings(): Promise<RedisSettings>;
    /** Events that Postgres has not applied yet. */
    queued(): Promise<number>;
  } | null;
  /** Whether somebody vouches for this run of the database; null = nothing keeps a witness. */
  readonly continuity: () => { readonly isHeld: boolean; readonly reason: string | null } | null;
  /** Workers that hold claims on shards now. */
  readonly flushers: () => Promise<number>;
  /** null where nothing is mirrored. */
  readonly mirror: () => Promise<MirrorState | null>;
  /** Settings of Postgres that can lose commits, each with its mending. */
  readonly databaseProblems: () => Promise<readonly string[]>;
}

/** The way that is to be gone. */
export interface SwitchWay {
  readonly from: EngineMode;
  readonly to: EngineMode;
}
