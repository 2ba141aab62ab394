import { join } from 'node:path';
import { PLAIN_CHAIN_ID } from '../../src/testing/contract/contract-world';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { openFastFixture, type FastFixture } from '../support/fast-fixture';
import { NodeProcess } from '../support/node-process';
import { newSubmitter } from '../support/store-fixture';
import type { FastMessage, FastOrder } from './nodes/fast-node';

const SCRIPT = join(__dirname, 'nodes/fast-node.ts');
const PROCESSES = 3;
const CALLERS = 16;
const PER_CALLER = 20;
/** Starting a process that compiles its sources takes long on a busy machine. */
const TIMEOUT_MS = 60_000;

let fixture: FastFixture;
const started: NodeProcess<FastMessage>[] = [];
beforeAll(async () => {
  fixture = await openFastFixture();
});
afterAll(async () => {
  await Promise.all(started.map((each) => each.kill()));
  await fixture.close();
});

function startNode(order: Pick<FastOrder, 'intents' | 'submitter'>): NodeProcess<FastMessage> {
  const { url: databaseUrl, schema } = fixture.database;
  const { url, prefix } = fixture.redis;
  const stores = { databaseUrl, schema, redis: { url, prefix } };
  const load = { callers: CALLERS, perCaller: PER_CALLER };
  const complete: FastOrder = { ...stores, ...load, ...order };
  const node = NodeProcess.start<FastMessage>(SCRIPT, { parameters: [JSON.stringify(complete)] });
  started.push(node);
  return node;
}

async function runAll(nodes: readonly NodeProcess<FastMessage>[]): Promise<void> {
  const reported = (kind: FastMessage['kind']) =>
    Promise.all(nodes.map((each) => each.message((message) => message.kind === kind, kind)));
  await reported('ready');
  for (const each of nodes) each.send('go');
  await reported('finished');
}

it.each(INTENT_POLICIES)(
  `I-28, S1: ${PROCESSES} processes under %s intents get distinct, contiguous nonces, lowest first`,
  async (intents) => {
    const submitter = newSubmitter(PLAIN_CHAIN_ID);
    const nodes = Array.from({ length: PROCESSES }, () => startNode({ intents, submitter }));
    await runAll(nodes);
    const messages = nodes.flatMap((each) => each.messages);
    expect(messages.filter(({ kind }) => kind === 'refused')).toEqual([]);
    const all = Array.from({ length: PROCESSES * CALLERS * PER_CALLER }, (_, nonce) => nonce);
    expect(noncesOf(messages).sort((a, b) => a - b)).toEqual(all);
    // L2: each process was answered in the order of the numbers, as far as it can see.
    for (const { messages: own } of nodes) {
      const inOrder = noncesOf(own.filter(isGrant).sort((a, b) => a.order - b.order));
      expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    }
    await fixture.flush(submitter);
    const rows = await fixture.submitters.nonces({ submitter, limit: 10_000 });
    expect(rows.map(({ nonce }) => nonce)).toEqual(all);
  },
  TIMEOUT_MS,
);

function isGrant(message: FastMessage): message is Extract<FastMessage, { kind: 'granted' }> {
  return message.kind === 'granted';
}

function noncesOf(messages: readonly FastMessage[]): number[] {
  return messages.filter(isGrant).map(({ nonce }) => nonce);
}
