import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { StaticChainRegistry } from '../module/chain-registry';
import { faceProviders } from '../module/face-providers';
import { connectChains } from '../module/load-chain-adapter';
import { NonceComponent } from '../module/nonce-component';
import { NonceEvents } from '../module/nonce-events';
import type { ResolvedNonceOptions } from '../module/options';
import { resolveOptions } from '../module/resolve-options';
import { SubmitterWindows } from '../module/submitter-windows';
import { SystemClock } from '../module/system-clock';
import * as tokens from '../module/tokens';
import type { ChainRegistry } from '../ports/chain.port';
import type { Clock } from '../ports/clock.port';
import { NO_METRICS } from '../ports/metrics.port';
import { ChainBaseline } from '../recovery/chain-baseline';
import { NonceEngineManager } from '../routing/engine-manager';
import { oneEngine } from '../routing/engine-routes';
import { intentCheck } from '../template/check-intent-bytes';
import { NonceExecutionTemplate } from '../template/nonce-execution-template';
import type { SignedTransactions } from '../template/signed-transactions';
import { SubmitterDefaultsCache } from '../template/submitter-defaults';
import type { FakeChain } from './fake-chain';
import { InMemoryNonceEngine } from './in-memory-nonce-engine';
import { TestSignedTransactions } from './test-signed-transactions';

export interface NonceTestingOptions {
  readonly chains?: readonly FakeChain[];
  readonly defaultChainId?: number;
  /** Moves deadlines and waits when it is a FakeClock. */
  readonly clock?: Clock;
}

const noop = (): undefined => undefined;
const SILENT = { debug: noop, info: noop, warn: noop, error: noop };

/**
 * The facade over an engine in memory: for tests of code that uses nonces, without Postgres, Redis
 * or a chain. It replaces `NonceModule.forRoot`; `NonceModule.forFeature` works beside it.
 */
@Module({})
export class NonceTestingModule {
  static forRoot(options: NonceTestingOptions = {}): DynamicModule {
    return {
      module: NonceTestingModule,
      global: true,
      providers: [
        ...worldProviders(options),
        engineProvider(),
        managerProvider(),
        ...faceProviders(),
      ],
      exports: [
        NonceComponent,
        NonceExecutionTemplate,
        NonceEngineManager,
        NonceEvents,
        InMemoryNonceEngine,
        SubmitterWindows,
        tokens.NONCE_OPTIONS,
        tokens.CHAIN_REGISTRY,
      ],
    };
  }
}

function worldProviders(options: NonceTestingOptions): Provider[] {
  const chains = options.chains ?? [];
  const resolved = resolveOptions({
    database: { url: 'postgres://not-used' },
    chains: Object.fromEntries(
      chains.map((chain) => [chain.chainId, { client: { reader: chain, sender: chain } }]),
    ),
    ...(options.defaultChainId === undefined ? {} : { defaultChainId: options.defaultChainId }),
  });
  const clock = options.clock ?? new SystemClock();
  const noDefaults = { defaults: () => Promise.resolve(null) };
  return [
    { provide: tokens.NONCE_OPTIONS, useValue: resolved },
    { provide: tokens.NONCE_CLOCK, useValue: clock },
    { provide: tokens.NONCE_LOGGER, useValue: SILENT },
    { provide: tokens.NONCE_METRICS, useValue: NO_METRICS },
    { provide: tokens.SIGNED_TRANSACTIONS, useFactory: () => new TestSignedTransactions() },
    { provide: NonceEvents, useFactory: () => new NonceEvents(SILENT) },
    { provide: SubmitterWindows, useFactory: () => new SubmitterWindows() },
    {
      provide: SubmitterDefaultsCache,
      useFactory: () => new SubmitterDefaultsCache(noDefaults),
    },
    {
      provide: tokens.CHAIN_REGISTRY,
      useFactory: async () =>
        new StaticChainRegistry(
          await connectChains(resolved.chains, { metrics: NO_METRICS, logger: SILENT }),
        ),
    },
  ];
}

function engineProvider(): Provider {
  return {
    provide: InMemoryNonceEngine,
    inject: [tokens.NONCE_OPTIONS, tokens.CHAIN_REGISTRY, tokens.NONCE_CLOCK],
    useFactory: (options: ResolvedNonceOptions, chains: ChainRegistry, clock: Clock) => {
      const { maxInFlight, quarantine } = options;
      const baseline = new ChainBaseline(chains, quarantine);
      return new InMemoryNonceEngine({ clock, chains, baseline, maxInFlight, quarantine });
    },
  };
}

function managerProvider(): Provider {
  return {
    provide: NonceEngineManager,
    inject: [InMemoryNonceEngine, tokens.SIGNED_TRANSACTIONS, tokens.NONCE_CLOCK],
    useFactory: (engine: InMemoryNonceEngine, transactions: SignedTransactions, clock: Clock) =>
      new NonceEngineManager({
        routes: oneEngine(engine),
        switching: null,
        find: (id) => engine.findById(id),
        refreshFloor: () => Promise.resolve(),
        checkIntent: intentCheck(transactions, (id) => engine.findById(id), 'each'),
        clock,
        logger: SILENT,
      }),
  };
}
