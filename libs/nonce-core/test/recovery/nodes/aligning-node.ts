/**
 * A process that issues nonces of one submitter and aligns it with counts that rise, both at once,
 * and reports what it was granted together with the floor it knew of before it asked.
 */
import type { Submitter } from '../../../src/domain/submitter';
import { createDataSource } from '../../../src/postgres/data-source';
import { PostgresAlignmentStore } from '../../../src/postgres/postgres-alignment-store';
import { PostgresAllocationStore } from '../../../src/postgres/postgres-allocation-store';
import { StatementRunner } from '../../../src/postgres/statement-runner';
import { commands, report } from '../../support/child-messages';
import { batchOf, hashOf, noncesOf, QUARANTINE, rowOf } from '../../support/store-fixture';

export interface AligningOrder {
  readonly databaseUrl: string;
  readonly schema: string;
  readonly submitter: Submitter;
  readonly rounds: number;
}

export type AligningMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'issued'; readonly nonce: number; readonly floor: number }
  | { readonly kind: 'done' };

async function work(order: AligningOrder): Promise<void> {
  const source = createDataSource({ url: order.databaseUrl, schema: order.schema });
  await source.initialize();
  const runner = new StatementRunner(source, order.schema);
  const store = new PostgresAllocationStore(runner);
  const alignment = new PostgresAlignmentStore(runner, QUARANTINE);
  const { submitter } = order;
  let floor = 0;
  for (let round = 1; round <= order.rounds; round += 1) {
    const latestCount = round * 3;
    const align = alignment
      .align({ submitter, latestCount, finalizedCount: round, genesisHash: hashOf(900) })
      .then((aligned) => {
        floor = Math.max(floor, aligned?.chainLatest ?? 0);
      });
    const issue = async (): Promise<void> => {
      const known = floor;
      const [answer] = await store.allocate(batchOf([rowOf(submitter)]));
      for (const nonce of noncesOf(answer)) report({ kind: 'issued', nonce, floor: known });
    };
    await Promise.all([align, issue(), issue()]);
  }
  await source.destroy();
  report({ kind: 'done' });
}

async function main(): Promise<void> {
  report({ kind: 'ready' });
  for await (const order of commands<AligningOrder>()) {
    await work(order);
    return;
  }
}

void main();
