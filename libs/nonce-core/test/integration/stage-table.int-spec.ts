import { ALLOCATION_STAGES, INITIAL_STAGES, canMove } from '../../src/domain/allocation-state';
import {
  decideHolderCommand,
  HOLDER_COMMANDS,
  type HolderCommand,
  type HolderFacts,
  type HolderVerdict,
} from '../../src/domain/holder-command';
import { openTestDatabase, type TestDatabase } from '../support/test-database';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

it('the database lets exactly those stages follow each other that the program does', async () => {
  const { rows } = await database.pool.query<{ a: string; b: string; may: boolean }>(
    `SELECT a, b, may_follow(a::allocation_stage, b::allocation_stage) AS may
     FROM unnest($1::text[]) a, unnest($1::text[]) b`,
    [ALLOCATION_STAGES],
  );
  expect(rows).toHaveLength(144);
  const pairs = ALLOCATION_STAGES.flatMap((from) => ALLOCATION_STAGES.map((to) => ({ from, to })));
  const expected = pairs.map(({ from, to }) => `${from} ${to} ${String(canMove(from, to))}`);
  const actual = rows.map(({ a, b, may }) => `${a} ${b} ${String(may)}`);
  expect(actual.sort()).toEqual(expected.sort());
});

it('a row may begin in exactly those stages that the program lists', async () => {
  const begins: string[] = [];
  for (const [nonce, stage] of ALLOCATION_STAGES.entries()) {
    const hash = `0x${'a'.repeat(64)}`;
    const exposed = ['INTENT', 'BROADCAST', 'MINED', 'CONFIRMED'].includes(stage);
    await database.pool
      .query(
        `INSERT INTO submitter_nonce_allocation (submitter, chain_generation, nonce, id, stage,
           source, exposure, engine, epoch, hashes, block_number, block_hash, deadline, created_at,
           updated_at)
         VALUES ($1, 1, $2, gen_random_uuid(), $3::allocation_stage, 'fresh', 'declared',
           'reliable', 1, $4, 1, $5, CASE WHEN $3 = 'GRANTED' THEN now() END, now(), now())`,
        [`eip155:1:0x${'0'.repeat(40)}`, nonce, stage, exposed ? [hash] : null, hash],
      )
      .then(() => begins.push(stage))
      .catch((error: unknown) => {
        expect(String(error)).toMatch(/a row does not start in this stage/);
      });
  }
  expect(begins.sort()).toEqual([...INITIAL_STAGES].sort());
});

it('the database decides every holder command as the program does, for every fact', async () => {
  const cases = HOLDER_COMMANDS.flatMap((command) =>
    allFacts().map((facts) => ({ command, facts })),
  );
  const { rows } = await database.pool.query<{ verdict: string }>(
    `SELECT decide_holder_command(c.command, c.stage::allocation_stage, c.has_hash, c.hash_known,
       c.any_hash, c.followable, c.replacement) AS verdict
     FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[], $5::boolean[], $6::boolean[],
       $7::boolean[]) WITH ORDINALITY
       AS c (command, stage, has_hash, hash_known, any_hash, followable, replacement, ord)
     ORDER BY c.ord`,
    [
      cases.map((c) => c.command),
      cases.map((c) => c.facts.stage),
      cases.map((c) => c.facts.hasHash),
      cases.map((c) => c.facts.hashKnown),
      cases.map((c) => c.facts.anyHash),
      cases.map((c) => c.facts.followable),
      cases.map((c) => c.facts.replacement),
    ],
  );
  const told = cases.map((c, index) => describeCase(c, rows[index]?.verdict ?? 'none'));
  const expected = cases.map((c) =>
    describeCase(c, spell(decideHolderCommand(c.command, c.facts))),
  );
  expect(told).toEqual(expected);
  expect(cases.length).toBeGreaterThan(1_000);
});

/** Every combination of facts that can occur: a known hash implies a named and a recorded one. */
function allFacts(): HolderFacts[] {
  const booleans = [false, true];
  const facts: HolderFacts[] = [];
  for (const stage of ALLOCATION_STAGES)
    for (const hasHash of booleans)
      for (const hashKnown of hasHash ? booleans : [false])
        for (const anyHash of hashKnown ? [true] : booleans)
          for (const followable of booleans)
            for (const replacement of booleans)
              facts.push({ stage, hasHash, hashKnown, anyHash, followable, replacement });
  return facts;
}

function spell(verdict: HolderVerdict): string {
  if (verdict.kind === 'move') return `move:${verdict.to}`;
  return verdict.kind === 'refuse' ? `refuse:${verdict.code}` : verdict.kind;
}

function describeCase(
  { command, facts }: { command: HolderCommand; facts: HolderFacts },
  verdict: string,
): string {
  return `${command} ${JSON.stringify(facts)} ${verdict}`;
}
