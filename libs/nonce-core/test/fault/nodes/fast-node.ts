/**
 * A process with the performance engine and nothing else, that allocates for one submitter with
 * many callers at once. It begins when it is told to.
 */
import { isNonceError } from '../../../src/domain/errors/nonce-error';
import type { Submitter } from '../../../src/domain/submitter';
import type { IntentPolicy } from '../../../src/ports/fast-epoch-store.port';
import { createDataSource } from '../../../src/postgres/data-source';
import { StatementRunner } from '../../../src/postgres/statement-runner';
import { contractWorld } from '../../../src/testing';
import { commands, report } from '../../support/child-messages';
import { openFastClient } from '../../support/fast-client';
import { performanceEngine } from '../../support/fast-engine';

export interface FastOrder {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly redis: { readonly url: string; readonly prefix: string };
  readonly intents: IntentPolicy;
  readonly submitter: Submitter;
  readonly callers: number;
  readonly perCaller: number;
}

export type FastMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'granted'; readonly nonce: number; readonly order: number }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'finished' };

const order = JSON.parse(process.argv[2] ?? '') as FastOrder;

async function main(): Promise<void> {
  const source = createDataSource({ url: order.databaseUrl, schema: order.schema });
  await source.initialize();
  const fast = await openFastClient(order.redis);
  const { intents, submitter } = order;
  const engine = performanceEngine(
    { runner: new StatementRunner(source, order.schema), fast: fast.store, world: contractWorld() },
    { intents, maxInFlight: 0 },
  );
  report({ kind: 'ready' } satisfies FastMessage);
  await commands().next();
  let asked = 0;
  const call = async (): Promise<void> => {
    for (let turn = 0; turn < order.perCaller; turn += 1) {
      const mine = (asked += 1);
      try {
        const wish = { submitter, count: 1, ttlMs: 60_000, exposure: 'declared' } as const;
        const [granted] = (await engine.allocate(wish)).allocations;
        report({ kind: 'granted', nonce: granted?.nonce ?? -1, order: mine } satisfies FastMessage);
      } catch (error) {
        const code = isNonceError(error) ? error.code : String(error);
        report({ kind: 'refused', code } satisfies FastMessage);
      }
    }
  };
  await Promise.all(Array.from({ length: order.callers }, call));
  await engine.stop(5_000);
  fast.close();
  await source.destroy();
  report({ kind: 'finished' } satisfies FastMessage);
}

void main();
