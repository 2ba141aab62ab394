import type { Provider } from '@nestjs/common';
import { Registry } from 'prom-client';
import type { Logger } from '../ports/logger.port';
import { NO_METRICS, type Metrics } from '../ports/metrics.port';
import { StaticChainRegistry } from './chain-registry';
import { connectChains } from './load-chain-adapter';
import { NestLoggerAdapter } from './nest-logger';
import { NonceEvents } from './nonce-events';
import type { ResolvedNonceOptions } from './options';
import { PrometheusMetrics } from './prometheus-metrics';
import { SystemClock } from './system-clock';
import {
  CHAIN_REGISTRY,
  METRICS_REGISTRY,
  NONCE_CLOCK,
  NONCE_LOGGER,
  NONCE_METRICS,
  NONCE_OPTIONS,
} from './tokens';

/** Log, clock, metrics, events, and the chains, which need the first ones. */
export function observerProviders(): Provider[] {
  return [
    { provide: NONCE_CLOCK, useFactory: () => new SystemClock() },
    {
      provide: NONCE_LOGGER,
      inject: [NONCE_OPTIONS],
      useFactory: (options: ResolvedNonceOptions) => options.logger ?? new NestLoggerAdapter(),
    },
    {
      provide: METRICS_REGISTRY,
      inject: [NONCE_OPTIONS],
      useFactory: (options: ResolvedNonceOptions) => options.metrics.registry ?? new Registry(),
    },
    {
      provide: NONCE_METRICS,
      inject: [NONCE_OPTIONS, METRICS_REGISTRY],
      useFactory: (options: ResolvedNonceOptions, registry: Registry): Metrics =>
        options.metrics.enabled ? new PrometheusMetrics(registry) : NO_METRICS,
    },
    {
      provide: NonceEvents,
      inject: [NONCE_LOGGER],
      useFactory: (logger: Logger) => new NonceEvents(logger),
    },
    {
      provide: CHAIN_REGISTRY,
      inject: [NONCE_OPTIONS, NONCE_METRICS, NONCE_LOGGER],
      useFactory: async (options: ResolvedNonceOptions, metrics: Metrics, logger: Logger) =>
        new StaticChainRegistry(await connectChains(options.chains, { metrics, logger })),
    },
  ];
}
