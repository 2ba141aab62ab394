import type { Submitter } from '../../src/domain/submitter';
import { FastEpochBench } from './fast-epochs';
import { openStore } from './store-fixture';

/** One rule of the protocol in Postgres, how a copy of the database loses it, and what then happens. */
export interface FunctionGuard {
  readonly rule: string;
  readonly functionName: string;
  /** Text of the function and what takes its place. */
  readonly without: readonly [text: string, instead: string];
  /** Where another function, or another place in this one, keeps the same rule a second time. */
  readonly alsoWithout?: readonly [functionName: string, text: string, instead: string];
  /** Triggers that keep the same rule a second time. */
  readonly triggers?: readonly string[];
  /** Plays the schedule and says whether the harm was done. */
  harm(bench: FastEpochBench, submitter: Submitter): Promise<boolean>;
}

export function describeGuards(guards: readonly FunctionGuard[]): void {
  describe.each(guards)('$rule', (guard) => {
    it('holds', async () => {
      const bench = new FastEpochBench(await openStore());
      try {
        expect(await guard.harm(bench, await bench.opened())).toBe(false);
      } finally {
        await bench.fixture.close();
      }
    });

    it('and without it the harm is done', async () => {
      const bench = new FastEpochBench(await openStore());
      try {
        await strip(bench, guard);
        expect(await guard.harm(bench, await bench.opened())).toBe(true);
      } finally {
        await bench.fixture.close();
      }
    });
  });
}

async function strip({ fixture }: FastEpochBench, guard: FunctionGuard): Promise<void> {
  const { pool } = fixture.database;
  await rewrite(pool, [guard.functionName, ...guard.without]);
  if (guard.alsoWithout !== undefined) await rewrite(pool, guard.alsoWithout);
  for (const trigger of guard.triggers ?? []) {
    await pool.query(`ALTER TABLE submitter_nonce_allocation DISABLE TRIGGER ${trigger}`);
  }
}

async function rewrite(
  pool: FastEpochBench['fixture']['database']['pool'],
  [functionName, text, instead]: readonly [string, string, string],
): Promise<void> {
  const { rows } = await pool.query<{ definition: string }>(
    `SELECT pg_get_functiondef(p.oid) AS definition FROM pg_proc p
     WHERE p.proname = $1 AND p.pronamespace = 'noncekit'::regnamespace`,
    [functionName],
  );
  const definition = rows[0]?.definition ?? '';
  expect(definition.split(text)).toHaveLength(2);
  await pool.query(definition.replace(text, instead));
}
