import { Client } from 'pg';
import type { BenchCase, Fact } from '../bench-case';
import { SCHEMA } from '../bench-stores';
import { openNonces, type OpenNonces } from '../open-nonces';
import { submitterAt } from '../submitters';

const ROWS = 50_000;
const BLOCK = 250;
const BLOCKS_TOGETHER = 4;
const BYTES_PER_MEBIBYTE = 1_048_576;

/** What an outstanding allocation occupies, and how large the program is after making them. */
export const memory: BenchCase = {
  name: 'memory',
  title: 'Memory: 50,000 outstanding allocations',
  async open(stores) {
    const databaseUrl = await stores.database();
    const node = await openNonces({ databaseUrl });
    return {
      contenders: [],
      comparisons: [],
      async facts() {
        await fill(node);
        return [...(await sizes(databaseUrl)), residentSet()];
      },
      close: () => node.close(),
    };
  },
};

async function fill({ nonces }: OpenNonces): Promise<void> {
  let blocks = ROWS / BLOCK;
  const work = async (): Promise<void> => {
    while (blocks > 0) {
      blocks -= 1;
      await nonces.allocate(submitterAt(0), { count: BLOCK });
    }
  };
  await Promise.all(Array.from({ length: BLOCKS_TOGETHER }, work));
}

async function sizes(databaseUrl: string): Promise<readonly Fact[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const table = `${SCHEMA}.submitter_nonce_allocation`;
    const { rows } = await client.query<{ total: string; heap: string }>(
      'SELECT pg_total_relation_size($1::regclass) AS total, pg_relation_size($1::regclass) AS heap',
      [table],
    );
    const total = Number(rows[0]?.total) / ROWS;
    const heap = Number(rows[0]?.heap) / ROWS;
    return [
      { label: 'Postgres, row and indexes', value: total, unit: 'B', target: '≤ 500' },
      { label: 'of that the row', value: heap, unit: 'B', target: '–' },
    ];
  } finally {
    await client.end();
  }
}

function residentSet(): Fact {
  const value = process.memoryUsage.rss() / BYTES_PER_MEBIBYTE;
  return { label: 'this benchmark program, resident', value, unit: 'MiB', target: '–' };
}
