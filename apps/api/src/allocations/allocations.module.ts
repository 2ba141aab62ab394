import { Module, type DynamicModule } from '@nestjs/common';
import { SUBMITTER_STORE, type SubmitterStore } from '@noncekit/nonce-core';
import type { ApiEnvironment } from '../config/env.schema';
import { AllocationsController } from './allocations.controller';
import { HoldTtl } from './hold-ttl';
import { SubmitterAllocationsController } from './submitter-allocations.controller';

@Module({})
export class AllocationsModule {
  static forEnvironment(environment: ApiEnvironment): DynamicModule {
    return {
      module: AllocationsModule,
      controllers: [SubmitterAllocationsController, AllocationsController],
      providers: [
        {
          provide: HoldTtl,
          inject: [SUBMITTER_STORE],
          useFactory: (store: SubmitterStore) => new HoldTtl(store, environment.allocationTtlMs),
        },
      ],
    };
  }
}
