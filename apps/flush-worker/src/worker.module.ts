import { Module, type DynamicModule } from '@nestjs/common';
import { LOG_REDACTION, NonceTrackingModule } from '@noncekit/nonce-core';
import { LoggerModule } from 'nestjs-pino';
import type { WorkerEnvironment } from './config/env.schema';
import { nonceModule } from './config/nonce-module';
import { HealthModule } from './health/health.module';

/** The worker: periodic work over the same stores and chains as the API, without a public port. */
@Module({})
export class WorkerModule {
  static forEnvironment(environment: WorkerEnvironment): DynamicModule {
    const jobs = NonceTrackingModule.forRoot(environment);
    return {
      module: WorkerModule,
      imports: [
        LoggerModule.forRoot({ pinoHttp: { level: environment.logLevel, redact: LOG_REDACTION } }),
        nonceModule(environment),
        jobs,
        HealthModule.withJobs(jobs),
      ],
    };
  }
}
