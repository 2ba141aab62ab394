import { ArrayUnique, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { EXPOSURES, type Exposure } from '../../domain/allocation';
import type { FieldProblem } from '../../domain/errors/nonce-error';
import { QUARANTINE_RELEASES, type QuarantineRelease } from '../../domain/quarantine-policy';
import { SIGNER_CHECKS, type SignerCheck } from '../../template/check-intent-bytes';
import type { ChainEnvironment } from './chain-environment';
import { ModeEnvironment } from './mode-environment';
import { FromEnvironment } from './setting';

const ONE_DAY_MS = 86_400_000;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * What both apps read from their environment. An app extends this class with its own settings and
 * loads it with `loadEnvironment`; field initialisers are the defaults.
 */
export class NonceEnvironment extends ModeEnvironment {
  @FromEnvironment({
    name: 'NONCE_ALLOCATION_TTL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time without a sign of life after which a reservation is reclaimed.',
  })
  @IsInt()
  @Min(1_000)
  @Max(ONE_DAY_MS)
  allocationTtlMs = 60_000;

  @FromEnvironment({
    name: 'NONCE_ALLOCATION_EXPOSURE',
    kind: 'text',
    reason: 'What a failed handler proves when it wrote no intent; `assumed` is the most careful.',
  })
  @IsIn(EXPOSURES)
  allocationExposure: Exposure = 'inferred';

  @FromEnvironment({
    name: 'NONCE_ALLOCATION_WAIT_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'How long withNonce waits for room in the window or for a store before it rejects.',
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  allocationWaitMs = 5_000;

  @FromEnvironment({
    name: 'NONCE_MAX_IN_FLIGHT',
    kind: 'integer',
    unit: 'nonces',
    reason: 'Fresh nonces that may be ahead of the chain per submitter; 0 = no limit.',
  })
  @IsInt()
  @Min(0)
  @Max(1_000_000)
  maxInFlight = 64;

  @FromEnvironment({
    name: 'NONCE_TEMPLATE_RETRY_MAX_ATTEMPTS',
    kind: 'integer',
    unit: 'runs',
    reason: 'How often a handler that asks for a retry runs with the same nonce.',
  })
  @IsInt()
  @Min(1)
  @Max(100)
  templateRetryMaxAttempts = 3;

  @FromEnvironment({
    name: 'NONCE_TEMPLATE_RETRY_BACKOFF_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'First wait between two runs of a handler; doubles each time.',
  })
  @IsInt()
  @Min(0)
  @Max(60_000)
  templateRetryBackoffMs = 100;

  @FromEnvironment({
    name: 'NONCE_INTENT_SIGNER_CHECK',
    kind: 'text',
    reason:
      '`each` recovers the signer of every stored transaction, which costs more than signing it; ' +
      "`first` only that of a submitter's first one in a process.",
  })
  @IsIn(SIGNER_CHECKS)
  intentSignerCheck: SignerCheck = 'first';

  @FromEnvironment({
    name: 'NONCE_QUARANTINE_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'How long a nonce that may have been sent waits for evidence; at least two blocks.',
  })
  @IsInt()
  @Min(0)
  @Max(ONE_DAY_MS)
  quarantineMs = 30_000;

  @FromEnvironment({
    name: 'NONCE_QUARANTINE_RELEASE',
    kind: 'text',
    reason:
      'What follows when no evidence came: issue it as a replacement, burn it (close it by a transfer ' +
      'of nothing, signed by the worker), or hold it. The same in all processes.',
  })
  @IsIn(QUARANTINE_RELEASES)
  quarantineRelease: QuarantineRelease = 'replacement';

  @FromEnvironment({
    name: 'NONCE_RECLAIM_INTERVAL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time between sweeps for expired reservations by the worker.',
  })
  @IsInt()
  @Min(50)
  @Max(600_000)
  reclaimIntervalMs = 1_000;

  @FromEnvironment({
    name: 'NONCE_RECONCILE_INTERVAL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Time between alignments of a submitter with its chain by the worker.',
  })
  @IsInt()
  @Min(100)
  @Max(ONE_DAY_MS)
  reconcileIntervalMs = 15_000;

  @FromEnvironment({
    name: 'NONCE_SHUTDOWN_DEADLINE_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'How long running handlers may finish after SIGTERM; below the kill timeout.',
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  shutdownDeadlineMs = 10_000;

  @FromEnvironment({
    name: 'NONCE_CHAINS',
    kind: 'integer-list',
    reason: 'Ids of the configured chains; each takes its NONCE_CHAIN_<id>_… settings.',
  })
  @IsInt({ each: true })
  @Min(1, { each: true })
  @ArrayUnique()
  chainIds: number[] = [];

  @FromEnvironment({
    name: 'NONCE_DEFAULT_CHAIN_ID',
    kind: 'integer',
    reason: 'Chain of submitters given as a bare address.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  defaultChainId?: number;

  @FromEnvironment({
    name: 'NONCE_ADMIN_PORT',
    kind: 'integer',
    reason: 'Port of health and metrics; keep it inside the cluster. 0 = any free one.',
  })
  @IsInt()
  @Min(0)
  @Max(65_535)
  adminPort = 9464;

  @FromEnvironment({ name: 'LOG_LEVEL', kind: 'text', reason: 'Lowest level that is written.' })
  @IsIn(LOG_LEVELS)
  logLevel: (typeof LOG_LEVELS)[number] = 'info';

  /** One entry per id of NONCE_CHAINS, filled by the loader. */
  chains: readonly ChainEnvironment[] = [];

  /** Problems that no single field shows; a class that extends this one adds its own. */
  crossCheck(): readonly FieldProblem[] {
    return [...this.crossCheckStores(), ...this.crossCheckMode()];
  }
}
