import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  AdminServer,
  HealthReports,
  METRICS_REGISTRY,
  NonceHealthIndicator,
  readVersion,
} from '@noncekit/nonce-core';
import type { Registry } from 'prom-client';
import { InFlightRequests } from '../http/in-flight-requests';

const MANIFEST = join(__dirname, '..', '..', 'package.json');

/** The admin port. Who starts it also stops it, after the public port has gone. */
@Module({
  imports: [TerminusModule],
  providers: [
    {
      provide: AdminServer,
      inject: [HealthCheckService, NonceHealthIndicator, METRICS_REGISTRY, InFlightRequests],
      useFactory: (
        ...[checks, indicator, metrics, inFlight]: [
          HealthCheckService,
          NonceHealthIndicator,
          Registry,
          InFlightRequests,
        ]
      ) => {
        const indicators = [() => indicator.check('nonce')];
        const reports = new HealthReports(checks, indicators, () => inFlight.draining);
        return new AdminServer({ version: readVersion(MANIFEST), metrics, reports });
      },
    },
  ],
})
export class HealthModule {}
