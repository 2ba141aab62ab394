import { Module, type DynamicModule } from '@nestjs/common';
import {
  ACCESS_STORE,
  NonceEvents,
  NonceRecoveryService,
  SUBMITTER_STORE,
  submitterParts,
  type AccessStore,
  type Submitter,
  type SubmitterStore,
} from '@noncekit/nonce-core';
import type { ApiEnvironment } from '../config/env.schema';
import { OperatorActions } from './operator-actions';
import { SubmitterNoncesController } from './submitter-nonces.controller';
import { SubmitterOperationsController } from './submitter-operations.controller';
import { SubmitterReader } from './submitter-reader';
import { SubmittersController } from './submitters.controller';

@Module({})
export class SubmittersModule {
  static forEnvironment(environment: ApiEnvironment): DynamicModule {
    return {
      module: SubmittersModule,
      controllers: [SubmittersController, SubmitterNoncesController, SubmitterOperationsController],
      providers: [
        {
          provide: SubmitterReader,
          inject: [SUBMITTER_STORE],
          useFactory: (store: SubmitterStore) =>
            new SubmitterReader(store, windowOf(environment), environment.maxInFlight),
        },
        {
          provide: OperatorActions,
          inject: [
            SUBMITTER_STORE,
            ACCESS_STORE,
            SubmitterReader,
            NonceRecoveryService,
            NonceEvents,
          ],
          useFactory: (
            ...[submitters, access, reader, aligner, events]: [
              SubmitterStore,
              AccessStore,
              SubmitterReader,
              NonceRecoveryService,
              NonceEvents,
            ]
          ) => new OperatorActions(submitters, access, reader, aligner, events),
        },
      ],
    };
  }
}

/** Window of a submitter without an own setting: its chain's, else the general one. */
function windowOf(environment: ApiEnvironment): (submitter: Submitter) => number {
  const byChain = new Map(environment.chains.map((chain) => [chain.chainId, chain.maxInFlight]));
  return (submitter) => byChain.get(submitterParts(submitter).chainId) ?? environment.maxInFlight;
}
