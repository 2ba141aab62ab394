import { Module, type DynamicModule } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { AllocationsModule } from './allocations/allocations.module';
import type { ApiEnvironment } from './config/env.schema';
import { nonceModule } from './config/nonce-module';
import type { ServerParts } from './http/server-parts';
import { DocumentsModule } from './documents/documents.module';
import { EventsModule } from './events/events.module';
import { HealthModule } from './health/health.module';
import { HttpModule } from './http/http.module';
import { loggingParams } from './http/logging';
import { ModesModule } from './modes/modes.module';
import { OperationsModule } from './operations/operations.module';
import { RecoveryModule } from './recovery/recovery.module';
import { SubmittersModule } from './submitters/submitters.module';

@Module({})
export class AppModule {
  static forEnvironment(environment: ApiEnvironment, parts: ServerParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        LoggerModule.forRoot(loggingParams(environment.logLevel)),
        nonceModule(environment),
        HttpModule.forServer(environment, parts),
        HealthModule,
        DocumentsModule,
        AllocationsModule.forEnvironment(environment),
        SubmittersModule.forEnvironment(environment),
        ModesModule,
        OperationsModule,
        RecoveryModule,
        EventsModule,
      ],
    };
  }
}
