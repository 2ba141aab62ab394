import { Module, type DynamicModule } from '@nestjs/common';
import {
  ACCESS_STORE,
  MODE_SOURCE,
  MODE_STORE,
  NonceEvents,
  NonceRecoveryService,
  SUBMITTER_STORE,
  submitterParts,
  toRedisConnection,
  type AccessStore,
  type ModeSource,
  type ModeStore,
  type Submitter,
  type SubmitterStore,
} from '@noncekit/nonce-core';
import type { ApiEnvironment } from '../config/env.schema';
import { OperatorActions } from './operator-actions';
import { RecordedOrders } from './recorded-orders';
import { SettingsChanges } from './settings-changes';
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
          provide: RecordedOrders,
          inject: [ACCESS_STORE, SubmitterReader],
          useFactory: (access: AccessStore, reader: SubmitterReader) =>
            new RecordedOrders(access, reader),
        },
        {
          provide: OperatorActions,
          inject: [SUBMITTER_STORE, RecordedOrders, NonceRecoveryService, NonceEvents],
          useFactory: (
            ...[submitters, orders, aligner, events]: [
              SubmitterStore,
              RecordedOrders,
              NonceRecoveryService,
              NonceEvents,
            ]
          ) => new OperatorActions(submitters, orders, aligner, events),
        },
        {
          provide: SettingsChanges,
          inject: [SUBMITTER_STORE, RecordedOrders, MODE_STORE, MODE_SOURCE],
          useFactory: (
            ...[submitters, orders, store, view]: [
              SubmitterStore,
              RecordedOrders,
              ModeStore,
              ModeSource,
            ]
          ) => {
            const hasRedis = toRedisConnection(environment) !== null;
            return new SettingsChanges(submitters, orders, { store, view, hasRedis });
          },
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
