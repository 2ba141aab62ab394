import { Module } from '@nestjs/common';
import { ContinuityWatch } from '@noncekit/nonce-core';
import { DefaultChain } from '../http/path-parameters';
import { RecoveryActions } from './recovery-actions';
import { ReconcileController } from './reconcile.controller';
import { RecoveryController } from './recovery.controller';

@Module({
  controllers: [RecoveryController, ReconcileController],
  providers: [
    {
      provide: RecoveryActions,
      inject: [ContinuityWatch, DefaultChain],
      useFactory: (watch: ContinuityWatch | null, defaultChain: DefaultChain) =>
        new RecoveryActions(watch, defaultChain),
    },
  ],
})
export class RecoveryModule {}
