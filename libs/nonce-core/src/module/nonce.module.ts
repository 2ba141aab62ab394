import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { parseSubmitter } from '../domain/submitter';
import { PerformanceEngine } from '../engines/performance/performance-engine';
import { FlushOverview } from '../flush/flush-overview';
import { AlignWithChain } from '../recovery/align-with-chain';
import { ContinuityWatch } from '../recovery/continuity-watch';
import { FullReconcile } from '../recovery/full-reconcile';
import { RedisLockCoordinator } from '../redis/redis-lock-coordinator';
import { NonceEngineManager } from '../routing/engine-manager';
import { NonceExecutionTemplate } from '../template/nonce-execution-template';
import { asyncOptionProviders, type NonceModuleAsyncOptions } from './async-options';
import { engineProviders } from './engine-providers';
import { faceProviders, operationProviders } from './face-providers';
import { fastProviders } from './fast/fast-providers';
import { modeViewProviders } from './modes/mode-view-providers';
import { switchingProviders } from './modes/switching-providers';
import { FlushDrain } from './fast/flush-drain';
import { mirrorProviders } from './fast/mirror-providers';
import { SubmitterNonces, submitterToken, type NamedSubmitter } from './named-submitters';
import { NonceComponent } from './nonce-component';
import { NonceEvents } from './nonce-events';
import { NonceHealthIndicator } from './nonce-health-indicator';
import { NonceRecoveryService } from './nonce-recovery-service';
import { observerProviders } from './observer-providers';
import type { NonceModuleOptions, ResolvedNonceOptions } from './options';
import { resolveOptions } from './resolve-options';
import { SCHEDULE } from './schedule';
import { storeProviders } from './store-providers';
import { SubmitterWindows } from './submitter-windows';
import * as tokens from './tokens';

const EXPORTS = [
  NonceComponent,
  NonceExecutionTemplate,
  NonceEngineManager,
  RedisLockCoordinator,
  NonceRecoveryService,
  NonceEvents,
  NonceHealthIndicator,
  AlignWithChain,
  SubmitterWindows,
  FlushOverview,
  FlushDrain,
  PerformanceEngine,
  ContinuityWatch,
  FullReconcile,
  tokens.NONCE_OPTIONS,
  tokens.FAST_WORKER_PLANS,
  tokens.ALLOCATION_STORE,
  tokens.SUBMITTER_STORE,
  tokens.ALIGNMENT_STORE,
  tokens.TRACKING_STORE,
  tokens.HEAD_STORE,
  tokens.ALARM_STORE,
  tokens.TRANSITION_LOG,
  tokens.ACCESS_STORE,
  tokens.CHAIN_REGISTRY,
  tokens.MODE_STORE,
  tokens.MODE_SOURCE,
  tokens.MIRROR_REPORT,
  tokens.MODE_SWITCHING,
  tokens.NONCE_METRICS,
  tokens.METRICS_REGISTRY,
  tokens.NONCE_CLOCK,
  tokens.NONCE_LOGGER,
  tokens.HEALTH_PROBES,
  tokens.SIGNED_TRANSACTIONS,
];

/**
 * Supplies the component and its parts. Nothing is static: two modules in one process are
 * independent, each with its own connections, metrics and events.
 */
@Module({})
export class NonceModule {
  static forRoot(options: NonceModuleOptions): DynamicModule {
    const raw = { provide: tokens.RAW_NONCE_OPTIONS, useValue: options };
    return assemble([raw], options);
  }

  static forRootAsync(options: NonceModuleAsyncOptions): DynamicModule {
    return assemble(asyncOptionProviders(options), options);
  }

  /** Submitters by name, for `@InjectSubmitter(name)`. A root that is not global is imported here. */
  static forFeature(
    submitters: readonly NamedSubmitter[],
    options: Pick<NonceModuleAsyncOptions, 'imports'> = {},
  ): DynamicModule {
    const providers = submitters.map(namedSubmitterProvider);
    return {
      module: NonceModule,
      imports: options.imports ?? [],
      providers,
      exports: submitters.map(({ name }) => submitterToken(name)),
    };
  }
}

function assemble(
  raw: Provider[],
  options: Pick<NonceModuleAsyncOptions, 'imports' | 'global'>,
): DynamicModule {
  return {
    module: NonceModule,
    global: options.global ?? true,
    imports: [SCHEDULE, ...(options.imports ?? [])],
    providers: [
      ...raw,
      {
        provide: tokens.NONCE_OPTIONS,
        inject: [tokens.RAW_NONCE_OPTIONS],
        useFactory: (given: NonceModuleOptions) => resolveOptions(given),
      },
      ...observerProviders(),
      ...storeProviders(),
      ...fastProviders(),
      ...modeViewProviders(),
      ...switchingProviders(),
      ...mirrorProviders(),
      ...engineProviders(),
      ...faceProviders(),
      ...operationProviders(),
    ],
    exports: EXPORTS,
  };
}

function namedSubmitterProvider(named: NamedSubmitter): Exclude<Provider, new () => unknown> {
  return {
    provide: submitterToken(named.name),
    inject: [NonceComponent, SubmitterWindows, tokens.NONCE_OPTIONS],
    useFactory: (
      component: NonceComponent,
      windows: SubmitterWindows,
      options: ResolvedNonceOptions,
    ) => {
      const submitter = parseSubmitter(named.submitter, options.defaultChainId ?? undefined);
      if (named.maxInFlight !== undefined) windows.set(submitter, named.maxInFlight);
      return new SubmitterNonces(component, submitter);
    },
  };
}
