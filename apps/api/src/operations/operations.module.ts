import { Module } from '@nestjs/common';
import { ACCESS_STORE, FlushDrain, FlushOverview, type AccessStore } from '@noncekit/nonce-core';
import { FlushActions } from './flush-actions';
import { FlushController } from './flush.controller';

@Module({
  controllers: [FlushController],
  providers: [
    {
      provide: FlushActions,
      inject: [FlushOverview, FlushDrain, ACCESS_STORE],
      useFactory: (flush: FlushOverview, drain: FlushDrain, access: AccessStore) =>
        new FlushActions(flush, drain, access),
    },
  ],
})
export class OperationsModule {}
