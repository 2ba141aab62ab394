import { Pool } from 'pg';
import type { Submitter } from '../../src/domain/submitter';
import { isNonceError } from '../../src/domain/errors/nonce-error';
import { newSubmitter } from '../support/store-fixture';
import { startTestPostgres, type TestPostgres } from '../support/test-database';
import { waitFor } from '../support/wait-for';
import {
  expectAllRecorded,
  expectPartition,
  expectSingleHolders,
  readLedger,
  type AcknowledgedGrant,
} from './ledger';
import { openNode, type OpenNode } from './nodes/open-node';
import { integerBetween, seededRandom } from './seeded-random';

const NODES = 2;
const CALLERS = 16;
const SEED = 4_711;
/** The engine's tries together: one statement without an answer, then connections without one. */
const TOLD_WITHIN_MS = 15_000;

let postgres: TestPostgres;
let pool: Pool;
let nodes: readonly OpenNode[];

beforeAll(async () => {
  postgres = await startTestPostgres();
  pool = new Pool({ connectionString: postgres.url, max: 2 });
  pool.on('error', () => undefined);
  const { url: databaseUrl, schema } = postgres;
  nodes = await Promise.all(Array.from({ length: NODES }, () => openNode({ databaseUrl, schema })));
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await pool.end();
  await postgres.server.stop();
});

/** Callers on all nodes that never give up: what they were told, and by which codes refused. */
class Callers {
  readonly grants: AcknowledgedGrant[] = [];
  readonly released = new Set<string>();
  readonly recorded = new Map<string, 'REUSABLE' | 'ASSERTED' | 'INTENT'>();
  readonly refusals = new Set<string>();
  private finishing = false;
  private readonly work: Promise<unknown>;

  constructor(
    private readonly submitter: Submitter,
    private readonly random: () => number,
  ) {
    const all = nodes.flatMap((node) => Array.from({ length: CALLERS }, () => this.call(node)));
    this.work = Promise.all(all);
  }

  async finish(): Promise<void> {
    this.finishing = true;
    await this.work;
  }

  async moreGrants(count: number): Promise<void> {
    const wanted = this.grants.length + count;
    await waitFor(() => this.grants.length >= wanted, {
      timeoutMs: 20_000,
      describe: `${count} more grants after ${this.grants.length}; refused: ${[...this.refusals].join()}`,
    });
  }

  private async call({ nonces }: OpenNode): Promise<void> {
    while (!this.finishing) {
      try {
        const [grant] = await nonces.allocate(this.submitter);
        if (grant === undefined) throw new Error('a grant without an allocation');
        this.grants.push(grant);
        const dice = this.random();
        if (dice < 0.4) {
          this.released.add(grant.id);
          await nonces.markRecyclable(grant, { reason: 'not needed' });
          this.recorded.set(grant.id, 'REUSABLE');
        } else if (dice < 0.7) {
          await nonces.markUsed(grant);
          this.recorded.set(grant.id, 'ASSERTED');
        } else {
          await nonces.intent(grant, {
            txHash: `0x${grant.id.replaceAll('-', '').padEnd(64, '0')}`,
          });
          this.recorded.set(grant.id, 'INTENT');
        }
      } catch (error) {
        this.refusals.add(isNonceError(error) ? error.code : String(error));
        // A real caller would not come back within the same millisecond.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }
}

/** Everything that was acknowledged is there, and nothing is there twice. */
async function expectIntact(submitter: Submitter, callers: Callers): Promise<void> {
  const ledger = await readLedger(pool, submitter);
  expectPartition(ledger);
  expectAllRecorded(ledger, callers.grants);
  expectSingleHolders(callers.grants, callers.released);
  const lost = ledger.rows.filter((row) => {
    const wanted = callers.recorded.get(row.id);
    return wanted !== undefined && wanted !== row.stage;
  });
  expect(lost).toEqual([]);
  const settled = [...callers.recorded].filter(([, stage]) => stage !== 'REUSABLE');
  expect(settled.filter(([id]) => ledger.earlierIds.has(id))).toEqual([]);
}

function expectOnlyUnavailable(callers: Callers): void {
  const refusals = [...callers.refusals].filter((code) => code !== 'NONCE_STORE_UNAVAILABLE');
  expect(refusals).toEqual([]);
}

describe('Postgres fails under load', () => {
  it('L5: connections that are terminated, also at commit, lose nothing and repeat nothing', async () => {
    const submitter = newSubmitter();
    const random = seededRandom(SEED);
    const callers = new Callers(submitter, seededRandom(SEED + 1));
    for (let round = 0; round < 12; round += 1) {
      await callers.moreGrants(integerBetween(random, 1, 40));
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'noncekit' AND pid <> pg_backend_pid()`,
      );
    }
    await callers.moreGrants(100);
    await callers.finish();
    expectOnlyUnavailable(callers);
    await expectIntact(submitter, callers);
  });

  it('S8, L11: kill -9 of the server and its restart lose no acknowledged grant, and service goes on', async () => {
    const submitter = newSubmitter();
    const random = seededRandom(SEED);
    const callers = new Callers(submitter, seededRandom(SEED + 2));
    for (let round = 0; round < 2; round += 1) {
      await callers.moreGrants(integerBetween(random, 50, 150));
      await postgres.server.kill();
      const acknowledged = callers.grants.length;
      await waitFor(() => callers.refusals.has('NONCE_STORE_UNAVAILABLE'), {
        describe: 'callers to be told that the store is away',
      });
      expect(callers.grants.length - acknowledged).toBeLessThanOrEqual(NODES * CALLERS);
      await postgres.server.restart();
      await callers.moreGrants(100);
    }
    await callers.finish();
    expectOnlyUnavailable(callers);
    await expectIntact(submitter, callers);
  });

  it('L5: a server that stands still keeps nobody waiting for ever, and repeats nothing later', async () => {
    const submitter = newSubmitter();
    const callers = new Callers(submitter, seededRandom(SEED + 3));
    await callers.moreGrants(100);
    await postgres.server.pause();
    await waitFor(() => callers.refusals.has('NONCE_STORE_UNAVAILABLE'), {
      timeoutMs: TOLD_WITHIN_MS,
      describe: 'callers to be told that the store is away',
    });
    await postgres.server.resume();
    await callers.moreGrants(200);
    await callers.finish();
    expectOnlyUnavailable(callers);
    await expectIntact(submitter, callers);
  });
});
