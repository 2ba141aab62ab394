import { Redis } from 'ioredis';
import { RedisServer } from '../../../../tools/src/stack/index';
import type { Allocation } from '../../src/domain/allocation';
import type { NonceComponent } from '../../src/module/nonce-component';
import { INTENT_POLICIES } from '../../src/ports/fast-epoch-store.port';
import { hashOf, newSubmitter } from '../support/store-fixture';
import { openTestDatabase, type TestDatabase } from '../support/test-database';
import { openModeHost, type ModeHost } from './mode-host';

const HOLDERS_OF_EACH = 8;

let server: RedisServer;
let database: TestDatabase;
let client: Redis;
let host: ModeHost | undefined;
beforeEach(async () => {
  [server, database] = await Promise.all([RedisServer.start(), openTestDatabase()]);
  client = new Redis(server.url, { retryStrategy: () => 50 });
  client.on('error', () => undefined);
});
afterEach(async () => {
  await host?.close();
  client.disconnect();
  await Promise.all([server.stop(), database.close()]);
});

type Word = (nonces: NonceComponent, held: Allocation, seed: number) => Promise<unknown>;

const WORDS: readonly (readonly [string, Word])[] = [
  ['INTENT', (nonces, held, seed) => nonces.intent(held, { txHash: hashOf(seed) })],
  ['BROADCAST', (nonces, held, seed) => nonces.markSubmitted(held, { txHash: hashOf(seed) })],
  ['ASSERTED', (nonces, held) => nonces.markUsed(held, {})],
  ['GRANTED', (nonces, held) => nonces.heartbeat(held, { ttlMs: 60_000 })],
];

it.each(INTENT_POLICIES)(
  'S10, L5, L11: %s: every live holder is heard by Postgres once Redis was killed, while others are granted nonces',
  async (intents) => {
    host = await openModeHost(
      database,
      { client, prefix: `held-${intents}` },
      {
        mode: 'PERFORMANCE',
        performance: { intents },
        allocation: { exposure: 'declared', ttlMs: 60_000 },
      },
    );
    const { nonces } = host;
    const words = WORDS.flatMap((word) => Array.from({ length: HOLDERS_OF_EACH }, () => word));
    const held = await Promise.all(
      words.map(async () => (await nonces.allocate(newSubmitter()))[0] as Allocation),
    );
    expect(new Set(held.map(({ engine }) => engine))).toEqual(new Set(['performance']));
    await server.kill();
    const others = words.map(() => nonces.allocate(newSubmitter()));
    const said = await Promise.all(
      words.map(([stage, word], i) =>
        word(nonces, held[i] as Allocation, i + 1).then(
          () => [stage, 'heard'],
          (error: unknown) => [stage, error],
        ),
      ),
    );
    const granted = await Promise.allSettled(others);
    expect(said).toEqual(words.map(([stage]) => [stage, 'heard']));
    expect(granted.map((each) => each.status === 'fulfilled' && each.value[0]?.engine)).toEqual(
      words.map(() => 'reliable'),
    );
    const { rows } = await database.pool.query<{ id: string; stage: string }>(
      'SELECT id, stage FROM submitter_nonce_allocation WHERE id = ANY ($1)',
      [held.map(({ id }) => id)],
    );
    const stages = new Map(rows.map(({ id, stage }) => [id, stage]));
    expect(held.map(({ id }) => stages.get(id))).toEqual(words.map(([stage]) => stage));
  },
  30_000,
);
