import type { Provider } from '@nestjs/common';
import type { BaselineSource } from '../ports/baseline.port';
import type { ChainRegistry } from '../ports/chain.port';
import { PostgresRebaselineStore } from '../postgres/postgres-rebaseline-store';
import { AlignWithChain } from '../recovery/align-with-chain';
import { RebaselineSubmitter } from '../recovery/rebaseline-submitter';
import { NonceEvents } from './nonce-events';
import { NonceRecoveryService } from './nonce-recovery-service';
import type { OpenDatabase } from './open-database';
import type { ResolvedNonceOptions } from './options';
import { BASELINE_SOURCE, CHAIN_REGISTRY, DATABASE, NONCE_OPTIONS } from './tokens';

type RebaselineParts = [OpenDatabase, ChainRegistry, BaselineSource, NonceEvents];

/** What brings records in line with the chain on request. */
export function recoveryProviders(): Provider[] {
  return [
    {
      provide: RebaselineSubmitter,
      inject: [DATABASE, CHAIN_REGISTRY, BASELINE_SOURCE, NonceEvents],
      useFactory: (...[{ runner }, chains, baseline, events]: RebaselineParts) => {
        const store = new PostgresRebaselineStore(runner);
        return new RebaselineSubmitter({ store, chains, baseline, events });
      },
    },
    {
      provide: NonceRecoveryService,
      inject: [AlignWithChain, RebaselineSubmitter, NONCE_OPTIONS],
      useFactory: (
        alignment: AlignWithChain,
        rebaselining: RebaselineSubmitter,
        options: ResolvedNonceOptions,
      ) => new NonceRecoveryService(alignment, rebaselining, options.defaultChainId ?? undefined),
    },
  ];
}
