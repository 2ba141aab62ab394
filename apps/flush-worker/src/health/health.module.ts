import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';
import {
  AdminServer,
  HealthReports,
  METRICS_REGISTRY,
  NonceHealthIndicator,
  PeriodicJobs,
  readVersion,
} from '@noncekit/nonce-core';
import type { Registry } from 'prom-client';

const MANIFEST = join(__dirname, '..', '..', 'package.json');

type Injected = [HealthCheckService, NonceHealthIndicator, PeriodicJobs, Registry];

/** The admin port: the worker has no other. Ready while Postgres answers and the jobs tick. */
@Module({})
export class HealthModule {
  static withJobs(jobs: DynamicModule): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule, jobs],
      providers: [
        {
          provide: AdminServer,
          inject: [HealthCheckService, NonceHealthIndicator, PeriodicJobs, METRICS_REGISTRY],
          useFactory: (...[checks, stores, periodic, metrics]: Injected) => {
            const indicators = [() => stores.check('nonce'), () => periodic.check('jobs')];
            const reports = new HealthReports(checks, indicators, () => periodic.isDraining);
            return new AdminServer({ version: readVersion(MANIFEST), metrics, reports });
          },
        },
      ],
    };
  }
}
