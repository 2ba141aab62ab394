import { join } from 'node:path';
import { NodeProcess } from '../support/node-process';
import { waitFor } from '../support/wait-for';
import {
  baselineOf,
  hashOf,
  newSubmitter,
  openStore,
  type StoreFixture,
} from '../support/store-fixture';
import type { AligningMessage, AligningOrder } from './nodes/aligning-node';

const SCRIPT = join(__dirname, 'nodes/aligning-node.ts');
const ROUNDS = 60;
/** By then both processes have aligned this far. */
const LAST_FLOOR = ROUNDS * 3;

type Issued = Extract<AligningMessage, { kind: 'issued' }>;

let fixture: StoreFixture;
const nodes: NodeProcess<AligningMessage>[] = [];
beforeAll(async () => {
  fixture = await openStore();
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await fixture.close();
});

it('K12, S7, S12: two processes that align and issue at once re-issue nothing and jump over nothing', async () => {
  const submitter = newSubmitter();
  const { url, schema } = fixture.database;
  await fixture.store.open(
    baselineOf(submitter, { chainLatestCount: 0, genesisHash: hashOf(900) }),
  );
  nodes.push(NodeProcess.start(SCRIPT), NodeProcess.start(SCRIPT));
  const all = (kind: AligningMessage['kind']) => (): boolean =>
    nodes.every(({ messages }) => messages.some((message) => message.kind === kind));
  await waitFor(all('ready'), { timeoutMs: 20_000, describe: 'both processes' });
  const order: AligningOrder = { databaseUrl: url, schema, submitter, rounds: ROUNDS };
  for (const node of nodes) node.send(order);
  await waitFor(all('done'), {
    timeoutMs: 30_000,
    describe: `the end of both\n${nodes.map(({ output }) => output).join('\n')}`,
  });

  const issued = nodes.flatMap(({ messages }) =>
    messages.filter((message): message is Issued => message.kind === 'issued'),
  );
  expect(issued).toHaveLength(2 * 2 * ROUNDS);
  expect(new Set(issued.map(({ nonce }) => nonce)).size).toBe(issued.length);
  expect(issued.filter(({ nonce, floor }) => nonce < floor)).toEqual([]);
  const { rows } = await fixture.database.pool.query<{ nonce: number }>(
    `SELECT a.nonce::int AS nonce FROM submitter_nonce_allocation a
     WHERE a.submitter = $1 AND a.nonce >= $2 ORDER BY a.nonce`,
    [submitter, LAST_FLOOR],
  );
  const { rows: states } = await fixture.database.pool.query<{ next: number; floor: number }>(
    `SELECT next_local_nonce::int AS next, chain_latest_count::int AS floor
     FROM submitter_nonce_state WHERE submitter = $1`,
    [submitter],
  );
  const [{ next, floor } = { next: 0, floor: 0 }] = states;
  expect(floor).toBe(LAST_FLOOR);
  expect(rows.map(({ nonce }) => nonce)).toEqual(
    Array.from({ length: next - LAST_FLOOR }, (_, index) => LAST_FLOOR + index),
  );
});
