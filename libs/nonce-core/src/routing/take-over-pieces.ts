import { isNonceError } from '../domain/errors/nonce-error';
import type { FastEpochStore, TakeOverRow, TakeOverVerdict } from '../ports/fast-epoch-store.port';
import type { TakeOverAnswer } from '../ports/take-over.port';

export interface PieceLimits {
  /** Submitters of one statement. */
  readonly pieceMax: number;
  /** Statements at a time. */
  readonly statementsInFlight: number;
}

type Piece = readonly TakeOverRow[];
type Answers = Map<TakeOverRow, TakeOverAnswer | Error>;

/** What was too much for one statement: few enough that each has a second for hundreds of nonces. */
const SMALL_PIECE = 16;

/**
 * Asks Postgres to take submitters over, many by one statement. Whom somebody else holds leaves its
 * piece and is waited for alone; a piece that fails is asked again in smaller ones, so that one row
 * which cannot be taken fails alone.
 * @returns one answer per row, in order; never rejects.
 */
export async function takeOverInPieces(
  rows: readonly TakeOverRow[],
  take: (piece: Piece) => ReturnType<FastEpochStore['takeOver']>,
  { pieceMax, statementsInFlight }: PieceLimits,
): Promise<readonly (TakeOverAnswer | Error)[]> {
  const answers: Answers = new Map();
  let pieces = cut(rows, pieceMax);
  // Pieces get smaller from round to round, and a lone row has no further one.
  while (pieces.length > 0) {
    const again: Piece[] = [];
    const left = pieces.values();
    const lane = async (): Promise<void> => {
      for (const piece of left) again.push(...(await takePiece(piece, take, answers)));
    };
    await Promise.all(Array.from({ length: statementsInFlight }, lane));
    pieces = again;
  }
  return rows.map((row) => answers.get(row) ?? new Error('a take-over was not answered'));
}

/** @returns what has to be asked again, in smaller pieces. */
async function takePiece(
  piece: Piece,
  take: (piece: Piece) => Promise<readonly TakeOverVerdict[]>,
  answers: Answers,
): Promise<readonly Piece[]> {
  try {
    const verdicts = await take(piece);
    return piece.flatMap((row, i) => {
      const verdict = verdicts[i];
      if (verdict === 'contended') return piece.length > 1 ? [[row]] : [];
      if (verdict !== undefined) answers.set(row, verdict);
      return [];
    });
  } catch (error) {
    const smaller = smallerThan(piece.length, error);
    if (smaller !== null) return cut(piece, smaller);
    const failure = error instanceof Error ? error : new Error(String(error));
    for (const row of piece) answers.set(row, failure);
    return [];
  }
}

/** Size of the pieces to try after that failure; null where smaller ones would fail as well. */
function smallerThan(size: number, error: unknown): number | null {
  if (size > SMALL_PIECE && !isAway(error)) return SMALL_PIECE;
  return size > 1 && !isNonceError(error, 'NONCE_STORE_UNAVAILABLE') ? 1 : null;
}

/** It did not answer at all; one that refused the statement may have had too little time for it. */
function isAway(error: unknown): boolean {
  return isNonceError(error, 'NONCE_STORE_UNAVAILABLE') && error.context['written'] !== 'no';
}

function cut(rows: Piece, size: number): readonly Piece[] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    rows.slice(i * size, (i + 1) * size),
  );
}
