import type { AlarmThresholds } from '../domain/alarm';
import type { AlarmSink } from '../ports/alarm.port';
import type { Registry } from 'prom-client';
import type { Exposure } from '../domain/allocation';
import type { LastingMode } from '../domain/engine-mode';
import type { QuarantinePolicy, QuarantineRelease } from '../domain/quarantine-policy';
import type { BurnSigner } from '../ports/burn-signer.port';
import type { TransactionSigner } from '../ports/signer.port';
import type { StuckHook } from '../ports/stuck-hook.port';
import type { IntentPolicy } from '../ports/fast-epoch-store.port';
import type { Logger } from '../ports/logger.port';
import type { createDataSource } from '../postgres/data-source';
import type { SignerCheck } from '../template/check-intent-bytes';
import type { RedisClient } from '../redis/redis-client';
import type { ResolvedSwitching, SwitchingOptions } from './modes/switching-options';
import type { TemplateSettings } from '../template/template-settings';
import type { ChainOptions, ResolvedChain } from './chain-options';
import type { RetentionOptions } from './retention-options';
import type { ResolvedTracking, TrackingOptions } from './tracking/tracking-options';

/** TypeORM's data source of a Postgres. */
export type NonceDataSource = ReturnType<typeof createDataSource>;

/** A database of its own connections, or one that the host already has open. */
export type DatabaseOptions = DatabaseSettings &
  ({ readonly url: string } | { readonly dataSource: NonceDataSource });

interface DatabaseSettings {
  readonly schema?: string;
  readonly poolSize?: number;
  /** False behind a transaction pooler that cannot keep prepared statements. */
  readonly preparedStatements?: boolean;
  /** False behind a transaction pooler; the role must carry the timeouts then. */
  readonly sessionTimeouts?: boolean;
  /** Starts on a database that can lose commits. For throw-away databases only. */
  readonly allowUnsafe?: boolean;
}

/** Of issuing from Redis alone. */
export interface PerformanceOptions {
  /** `redis` is the one this version has. */
  readonly strategy?: string;
  /**
   * `strict`: an intent is durable before anything leaves. `relaxed`: no Postgres write before it.
   * The same in all processes, or they end each other's epochs.
   */
  readonly intents?: IntentPolicy;
  readonly prefetch?: {
    /** Fresh nonces handed to Redis at once, 1…65,536; adapts itself up to `max`. */
    readonly size?: number;
    /** Fewer than this left fetch the next ones ahead; below `size`. */
    readonly lowWater?: number;
    readonly max?: number;
    /** Time without an allocation after which the unused ones go back to Postgres. */
    readonly idleCloseMs?: number;
  };
}

/** How events of Redis come to Postgres. */
export interface FlushOptions {
  /** Events per transaction, 1…10,000. */
  readonly batchMax?: number;
  readonly intervalMs?: number;
  /** Events that may wait per shard; beyond it allocations are refused, never events dropped. */
  readonly streamMax?: number;
  /** Tries of a failed batch before it is reported. */
  readonly retries?: number;
  /** Deliveries after which an event becomes a dead letter. */
  readonly maxDeliveries?: number;
  /** Where the queue is full, flushes it within the call instead of refusing. */
  readonly syncWriteFallback?: boolean;
}

export interface RecoveryOptions {
  /** Between checks that the database was not set back, 100 ms to 10 min. */
  readonly continuityIntervalMs?: number;
  /** Folder of this node for its witness; absent = Redis alone keeps one. */
  readonly witnessDir?: string;
  /** Whether a full reconciliation is ordered when commits were lost or alignments go wrong. */
  readonly auto?: boolean;
  /** Nonces by which a counter may be behind its chain before one is ordered, from 1. */
  readonly floorLagThreshold?: number;
}

export interface AlarmOptions {
  /** Age of a reserved nonce, ms, 1 s to 7 days. */
  readonly reservedAgeMs?: number;
  /** Nonces of a submitter that became free within ten minutes and were not issued again, from 1. */
  readonly recyclableGrowth?: number;
  /** Issued nonces beyond the chain's count, from 1. */
  readonly chainLag?: number;
  /** Age of the last alignment of a submitter with open nonces, ms, 1 s to 7 days. */
  readonly alignmentAgeMs?: number;
  /** Time in DEGRADED, ms, 1 s to 7 days. */
  readonly redisDownMs?: number;
  /** Receives alarms as JSON by POST; absent = none. */
  readonly webhookUrl?: string;
  /** Signs what the webhook receives, HMAC-SHA256. */
  readonly webhookSecret?: string;
}

/** What a host writes. Every default is in `resolve-options.ts`. */
export interface NonceModuleOptions extends SwitchingOptions {
  readonly database: DatabaseOptions;
  /** By chain id. Submitters of other chains work too; their transactions are not followed. */
  readonly chains?: Readonly<Record<number, ChainOptions>>;
  readonly defaultChainId?: number;
  /**
   * The mode that begins where none was ever set: `RELIABLE` issues from Postgres, `DUAL_WRITE`
   * mirrors that to Redis, `PERFORMANCE` issues from Redis. Later only switches count.
   */
  readonly mode?: LastingMode;
  readonly performance?: PerformanceOptions;
  readonly flush?: FlushOptions;
  readonly recovery?: RecoveryOptions;
  /** When people are told, by the log, `webhookUrl` and `alarmSink`. */
  readonly alarms?: AlarmOptions;
  /** Window of submitters on chains that set none; 0 = no limit. */
  readonly maxInFlight?: number;
  readonly redis?: {
    /** Any ioredis client; absent, the module looks for nestjs-redis's RedisService. */
    readonly client?: RedisClient;
    readonly keyPrefix?: string;
    readonly enabled?: boolean;
    /** 1…1,024; the same in all processes, for ever: submitters would move otherwise. */
    readonly shards?: number;
  };
  readonly lock?: { readonly ttlMs?: number; readonly waitMs?: number };
  readonly template?: {
    readonly retry?: { readonly maxAttempts?: number; readonly backoffMs?: number };
  };
  readonly allocation?: {
    readonly ttlMs?: number;
    readonly exposure?: Exposure;
    /** How long withNonce waits for a retryable refusal to pass. */
    readonly waitMs?: number;
  };
  /** `each` recovers the signer of every intent, `first` that of a submitter's first one. */
  readonly intent?: { readonly signerCheck?: SignerCheck };
  readonly tracking?: TrackingOptions;
  readonly retention?: RetentionOptions;
  /** `burn` needs a `burnSigner` wherever `NonceTrackingModule` runs. */
  readonly quarantine?: { readonly ms?: number; readonly release?: QuarantineRelease };
  /** Signs transfers of nothing that close nonces, under `quarantine.release: 'burn'`. */
  readonly burnSigner?: BurnSigner;
  /** Signs the same work again for a higher fee; without one fees are never raised. */
  readonly signer?: TransactionSigner;
  /** Decides about nonces that make no progress; without one what helps by itself is done. */
  readonly stuckHook?: StuckHook;
  /** Tells people of alarms, beside the log. */
  readonly alarmSink?: AlarmSink;
  readonly shutdown?: { readonly deadlineMs?: number };
  readonly metrics?: {
    /** Registry that receives the metrics; by default each module has its own. */
    readonly registry?: Registry;
    readonly enabled?: boolean;
  };
  /** False when modules that use it import it themselves, as with two modules in one app. */
  readonly global?: boolean;
  /** Replaces Nest's logger. */
  readonly logger?: Logger;
}

export interface ResolvedDatabase {
  readonly source:
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'data-source'; readonly dataSource: NonceDataSource };
  readonly schema: string;
  readonly poolSize: number;
  readonly preparedStatements: boolean;
  readonly sessionTimeouts: boolean;
  readonly allowUnsafe: boolean;
}

export interface ResolvedPerformance {
  readonly intents: IntentPolicy;
  readonly prefetch: Required<NonNullable<PerformanceOptions['prefetch']>>;
}

interface ResolvedAlarms {
  readonly thresholds: AlarmThresholds;
  readonly webhook: { readonly url: string; readonly secret: string | null } | null;
}

interface ResolvedRecovery {
  readonly continuityIntervalMs: number;
  readonly witnessDir: string | null;
  readonly auto: boolean;
  readonly floorLagThreshold: number;
}

/** What the rest of the code sees: complete, checked, frozen. */
export interface ResolvedNonceOptions extends ResolvedSwitching {
  readonly database: ResolvedDatabase;
  readonly chains: readonly ResolvedChain[];
  readonly defaultChainId: number | null;
  readonly mode: LastingMode;
  readonly performance: ResolvedPerformance;
  readonly flush: Required<FlushOptions>;
  readonly recovery: ResolvedRecovery;
  readonly alarms: ResolvedAlarms;
  readonly alarmSink: AlarmSink | null;
  readonly maxInFlight: number;
  readonly redis: {
    readonly client: RedisClient | null;
    readonly keyPrefix: string;
    readonly enabled: boolean;
    readonly shards: number;
  };
  readonly lock: { readonly ttlMs: number; readonly waitMs: number };
  readonly template: TemplateSettings;
  readonly intent: { readonly signerCheck: SignerCheck };
  readonly tracking: ResolvedTracking;
  readonly retention: Required<RetentionOptions>;
  readonly quarantine: QuarantinePolicy;
  readonly burnSigner: BurnSigner | null;
  readonly signer: TransactionSigner | null;
  readonly stuckHook: StuckHook | null;
  readonly shutdown: { readonly deadlineMs: number };
  readonly metrics: { readonly registry: Registry | null; readonly enabled: boolean };
  readonly logger: Logger | null;
}
