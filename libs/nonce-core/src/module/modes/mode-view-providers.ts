import type { Provider } from '@nestjs/common';
import type { EngineMode } from '../../domain/engine-mode';
import { isNonceError } from '../../domain/errors/nonce-error';
import { applyFacts } from '../../flush/apply-facts';
import type { Clock } from '../../ports/clock.port';
import type { FastEpochStore } from '../../ports/fast-epoch-store.port';
import type { FastStore } from '../../ports/fast-store.port';
import type { FlushStore } from '../../ports/flush-store.port';
import type { Logger } from '../../ports/logger.port';
import type { Metrics } from '../../ports/metrics.port';
import type { ModeSource } from '../../ports/mode-source.port';
import type { ModeStore } from '../../ports/mode-store.port';
import type { EpochHandOver } from '../../ports/take-over.port';
import { PostgresModeStore } from '../../postgres/postgres-mode-store';
import { submitterParts, type Submitter } from '../../domain/submitter';
import { checkRedis } from '../../redis/redis-boot-checks';
import { HandOver } from '../../routing/hand-over';
import { ModeView } from '../../routing/mode-view';
import { TakeOverSubmitters } from '../../routing/take-over';
import type { FastSide } from '../fast/fast-side';
import type { OpenDatabase } from '../open-database';
import type { ResolvedNonceOptions } from '../options';
import {
  DATABASE,
  FAST_EPOCH_STORE,
  FAST_SIDE,
  FAST_STORE,
  FLUSH_STORE,
  HAND_OVER,
  MODE_SOURCE,
  MODE_STORE,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
  TAKE_OVER,
} from '../tokens';

/** What rules, as this process sees it, and how submitters come from one engine to another. */
export function modeViewProviders(): Provider[] {
  return [
    {
      provide: MODE_STORE,
      inject: [DATABASE],
      useFactory: ({ runner }: OpenDatabase) => new PostgresModeStore(runner),
    },
    {
      provide: MODE_SOURCE,
      inject: [MODE_STORE, FAST_SIDE, NONCE_CLOCK, NONCE_METRICS, NONCE_LOGGER, NONCE_OPTIONS],
      useFactory: openView,
    },
    {
      provide: HAND_OVER,
      inject: [FAST_STORE, FLUSH_STORE, NONCE_LOGGER, NONCE_OPTIONS],
      useFactory: (
        ...[fast, store, logger, options]: [
          FastStore | null,
          FlushStore,
          Logger,
          ResolvedNonceOptions,
        ]
      ) => (fast === null ? null : openHandOver({ fast, store, logger }, options)),
    },
    {
      provide: TAKE_OVER,
      inject: [FAST_EPOCH_STORE, MODE_SOURCE, HAND_OVER],
      useFactory: (epochs: FastEpochStore, mode: ModeSource, handOver: EpochHandOver | null) =>
        new TakeOverSubmitters({ epochs, mode, handOver }),
    },
  ];
}

/**
 * The configured mode begins where none was ever set; after that only switches count. A Redis that
 * may not hold nonces is refused before such a mode is written down: it could not be left again.
 * @throws NonceError NONCE_REDIS_EVICTION where nonces would be issued from it.
 */
async function openView(
  ...[store, side, clock, metrics, logger, options]: [
    ModeStore,
    FastSide | null,
    Clock,
    Metrics,
    Logger,
    ResolvedNonceOptions,
  ]
): Promise<ModeView> {
  const mode = (await modeInForce(store)) ?? options.mode;
  if (mode === 'PERFORMANCE' && side !== null) await judgeRedis(side, { clock, logger });
  await store.initialise(options.mode, 'first boot');
  const view = await ModeView.open({ store, clock, logger, oneByOne: oneByOne(options) });
  if (side === null) warnWithoutRedis(view, logger);
  if (mode !== options.mode) {
    logger.info('another mode is in force than the one configured for the first boot', {
      mode,
      configured: options.mode,
      fix: `noncectl mode switch ${options.mode} --reason …, or PUT /v1/ops/mode`,
    });
  }
  showMode(view, metrics);
  return view;
}

/** null before the first boot. */
async function modeInForce(store: ModeStore): Promise<EngineMode | null> {
  try {
    return (await store.read()).mode;
  } catch (error) {
    if (isNonceError(error, 'NONCE_INTERNAL')) return null;
    throw error;
  }
}

async function judgeRedis(
  side: FastSide,
  ports: { readonly clock: Clock; readonly logger: Logger },
): Promise<void> {
  try {
    await checkRedis(side.client, ports);
  } catch (error) {
    side.close();
    throw error;
  }
}

function warnWithoutRedis(source: ModeSource, logger: Logger): void {
  source.onChange(({ mode }) => {
    if (mode !== 'PERFORMANCE') return;
    logger.warn('nonces are issued from Redis, and this process has none: it can issue nothing', {
      mode,
      fix: 'give it a Redis, or switch to RELIABLE',
    });
  });
}

function showMode(view: ModeSource, metrics: Metrics): void {
  let shown: EngineMode | null = null;
  view.onChange(({ mode }) => {
    if (shown !== null && shown !== mode) metrics.set('nonce_mode_info', { mode: shown }, 0);
    metrics.set('nonce_mode_info', { mode }, 1);
    shown = mode;
  });
}

function openHandOver(
  {
    fast,
    store,
    logger,
  }: { readonly fast: FastStore; readonly store: FlushStore; readonly logger: Logger },
  { quarantine, flush }: ResolvedNonceOptions,
): HandOver {
  const shardOf = fast.shardOf.bind(fast);
  const settings = { quarantine, batchMax: flush.batchMax };
  return new HandOver({
    fast,
    apply: (facts) => applyFacts({ store, shardOf }, settings, facts),
    logger,
  });
}

/** Submitters of chains that refuse a nonce above the next one. */
function oneByOne({ chains }: ResolvedNonceOptions): (submitter: Submitter) => boolean {
  const strict = new Set(
    chains.filter(({ profile }) => profile.strictNonce).map(({ profile }) => profile.chainId),
  );
  return (submitter) => strict.size > 0 && strict.has(submitterParts(submitter).chainId);
}
