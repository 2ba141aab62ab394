import { NonceError } from '../../src/domain/errors/nonce-error';
import type { Submitter } from '../../src/domain/submitter';
import type { TakeOverRow, TakeOverVerdict } from '../../src/ports/fast-epoch-store.port';
import { takeOverInPieces } from '../../src/routing/take-over-pieces';

const LIMITS = { pieceMax: 100, statementsInFlight: 2 };
const TIMEOUT = new NonceError('NONCE_STORE_UNAVAILABLE', { context: { written: 'no' } });
const AWAY = new NonceError('NONCE_STORE_UNAVAILABLE', { context: { written: 'unknown' } });

const rowsOf = (count: number): TakeOverRow[] =>
  Array.from({ length: count }, (_, i) => ({ submitter: String(i) as Submitter, ending: null }));
const allTaken = (piece: readonly TakeOverRow[]): TakeOverVerdict[] => piece.map(() => 'taken');

/** Answers by `answer`; says how many rows each statement had. */
async function asked(
  rows: readonly TakeOverRow[],
  answer: (piece: readonly TakeOverRow[]) => readonly TakeOverVerdict[],
) {
  const sizes: number[] = [];
  const answers = await takeOverInPieces(
    rows,
    (piece) => {
      sizes.push(piece.length);
      return Promise.resolve(piece).then(answer);
    },
    LIMITS,
  );
  return { sizes, answers };
}

it('every row is answered with its own verdict, by as few statements as they fit into', async () => {
  const rows = rowsOf(250);
  const stale = rows[120];
  const { sizes, answers } = await asked(rows, (piece) =>
    piece.map((row) => (row === stale ? 'stale' : 'taken')),
  );
  expect(sizes).toEqual([100, 100, 50]);
  expect(answers.flatMap((answer, i) => (answer === 'taken' ? [] : [[i, answer]]))).toEqual([
    [120, 'stale'],
  ]);
  expect(answers).toHaveLength(250);
});

it('L5: who is contended is waited for alone, and nobody else with it', async () => {
  const rows = rowsOf(100);
  const { sizes, answers } = await asked(rows, (piece) =>
    piece.map(({ submitter }) =>
      piece.length > 1 && Number(submitter) < 2 ? 'contended' : 'taken',
    ),
  );
  expect(sizes).toEqual([100, 1, 1]);
  expect(new Set(answers)).toEqual(new Set(['taken']));
});

it('H-18: one row that cannot be taken fails alone', async () => {
  const rows = rowsOf(100);
  const bad = rows[33] as TakeOverRow;
  const { answers } = await asked(rows, (piece) => {
    if (piece.includes(bad)) throw new Error('a broken row');
    return allTaken(piece);
  });
  const failed = answers.flatMap((answer, i) => (answer === 'taken' ? [] : [[i, answer]]));
  expect(failed).toEqual([[33, new Error('a broken row')]]);
});

it('what is too much for one statement is asked for in smaller ones', async () => {
  const { sizes, answers } = await asked(rowsOf(100), (piece) => {
    if (piece.length > 20) throw TIMEOUT;
    return allTaken(piece);
  });
  expect(sizes).toEqual([100, 16, 16, 16, 16, 16, 16, 4]);
  expect(new Set(answers)).toEqual(new Set(['taken']));
});

it.each([
  ['does not answer', AWAY, [100]],
  ['refuses small ones too', TIMEOUT, [100, 16, 16, 16, 16, 16, 16, 4]],
])('a Postgres that %s is not asked for each row', async (_, error, expected) => {
  const { sizes, answers } = await asked(rowsOf(100), () => {
    throw error;
  });
  expect(sizes).toEqual(expected);
  expect(new Set(answers)).toEqual(new Set([error]));
});
