import { resolveAlarms } from './alarms/resolve-alarms';
import { ALLOCATION_LIMITS, EXPOSURES } from '../domain/allocation';
import { QUARANTINE_RELEASES } from '../domain/quarantine-policy';
import { SIGNER_CHECKS } from '../template/check-intent-bytes';
import { resolveChain } from './chain-options';
import { resolveSwitching } from './modes/resolve-switching';
import { OPTION_DEFAULTS } from './option-defaults';
import { OptionProblems } from './option-problems';
import type { NonceModuleOptions, ResolvedDatabase, ResolvedNonceOptions } from './options';
import { resolveTracking } from './tracking/tracking-options';
import { resolveModes } from './resolve-modes';
import { resolveRetention } from './retention-options';

const ONE_DAY_MS = 86_400_000;
const TEN_MINUTES_MS = 600_000;

/**
 * Fills defaults, checks everything and freezes the result, once.
 * @throws NonceError `NONCE_CONFIG_INVALID` with every problem in `errors`.
 */
export function resolveOptions(options: NonceModuleOptions): ResolvedNonceOptions {
  const problems = new OptionProblems();
  problems.unknownKeys('', options, OPTION_KEYS);
  const maxInFlight = options.maxInFlight ?? OPTION_DEFAULTS.maxInFlight;
  problems.integer('/maxInFlight', maxInFlight, [0, 1_000_000]);
  if (options.defaultChainId !== undefined) {
    problems.integer('/defaultChainId', options.defaultChainId, [1, Number.MAX_SAFE_INTEGER]);
  }
  const resolved: ResolvedNonceOptions = {
    database: resolveDatabase(options.database, problems),
    chains: Object.entries(options.chains ?? {}).map(([id, chain]) =>
      resolveChain({ id, chain, maxInFlight, problems }),
    ),
    defaultChainId: options.defaultChainId ?? null,
    maxInFlight,
    ...resolveModes(options, problems),
    ...resolveSwitching(options, problems),
    ...resolveWork(options, problems),
    redis: { client: null, ...OPTION_DEFAULTS.redis, ...options.redis },
    metrics: { registry: null, ...OPTION_DEFAULTS.metrics, ...options.metrics },
    burnSigner: options.burnSigner ?? null,
    signer: options.signer ?? null,
    stuckHook: options.stuckHook ?? null,
    alarmSink: options.alarmSink ?? null,
    tracking: resolveTracking(options.tracking, problems),
    retention: resolveRetention(options.retention, problems),
    alarms: resolveAlarms(options.alarms, problems),
    logger: options.logger ?? null,
  };
  problems.throwIfAny();
  return Object.freeze(resolved);
}

const OPTION_KEYS = [
  'database',
  'chains',
  'defaultChainId',
  'mode',
  'performance',
  'flush',
  'recovery',
  'alarms',
  'alarmSink',
  'degrade',
  'modes',
  'autoPromote',
  'health',
  'maxInFlight',
  'redis',
  'lock',
  'template',
  'allocation',
  'intent',
  'tracking',
  'retention',
  'quarantine',
  'burnSigner',
  'signer',
  'stuckHook',
  'shutdown',
  'metrics',
  'global',
  'logger',
] as const satisfies readonly (keyof NonceModuleOptions)[];

/** How work is allocated, run, settled and ended. */
function resolveWork(
  options: NonceModuleOptions,
  problems: OptionProblems,
): Pick<ResolvedNonceOptions, 'lock' | 'template' | 'intent' | 'quarantine' | 'shutdown'> {
  const { ttlMs, exposure, waitMs } = { ...OPTION_DEFAULTS.allocation, ...options.allocation };
  const retry = { ...OPTION_DEFAULTS.template, ...options.template?.retry };
  const lock = { ...OPTION_DEFAULTS.lock, ...options.lock };
  const intent = { ...OPTION_DEFAULTS.intent, ...options.intent };
  const quarantine = { ...OPTION_DEFAULTS.quarantine, ...options.quarantine };
  const shutdown = { ...OPTION_DEFAULTS.shutdown, ...options.shutdown };
  const { minTtlMs, maxTtlMs } = ALLOCATION_LIMITS;
  problems.integer('/allocation/ttlMs', ttlMs, [minTtlMs, maxTtlMs]);
  problems.oneOf('/allocation/exposure', exposure, EXPOSURES);
  problems.integer('/allocation/waitMs', waitMs, [0, TEN_MINUTES_MS]);
  problems.integer('/template/retry/maxAttempts', retry.maxAttempts, [1, 100]);
  problems.integer('/template/retry/backoffMs', retry.backoffMs, [0, 60_000]);
  problems.integer('/lock/ttlMs', lock.ttlMs, [100, TEN_MINUTES_MS]);
  problems.integer('/lock/waitMs', lock.waitMs, [0, TEN_MINUTES_MS]);
  problems.oneOf('/intent/signerCheck', intent.signerCheck, SIGNER_CHECKS);
  problems.integer('/quarantine/ms', quarantine.ms, [0, ONE_DAY_MS]);
  problems.oneOf('/quarantine/release', quarantine.release, QUARANTINE_RELEASES);
  problems.integer('/shutdown/deadlineMs', shutdown.deadlineMs, [0, TEN_MINUTES_MS]);
  return { lock, template: { ttlMs, exposure, waitMs, ...retry }, intent, quarantine, shutdown };
}

function resolveDatabase(
  database: NonceModuleOptions['database'] | undefined,
  problems: OptionProblems,
): ResolvedDatabase {
  if (database === undefined) problems.add('/database', 'is required');
  const source =
    database !== undefined && 'dataSource' in database
      ? ({ kind: 'data-source', dataSource: database.dataSource } as const)
      : ({ kind: 'url', url: database?.url ?? '' } as const);
  if (source.kind === 'url' && source.url === '') problems.add('/database/url', 'is required');
  const settings = { ...OPTION_DEFAULTS.database, ...database };
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(settings.schema)) {
    problems.add('/database/schema', 'must be a plain lower-case name');
  }
  problems.integer('/database/poolSize', settings.poolSize, [2, 1_000]);
  const { schema, poolSize, preparedStatements, sessionTimeouts, allowUnsafe } = settings;
  return { source, schema, poolSize, preparedStatements, sessionTimeouts, allowUnsafe };
}
