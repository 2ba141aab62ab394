import type { FastAllocateAnswer, FastAllocateRow, FastStore } from '../../ports/fast-store.port';

type Answers = readonly (FastAllocateAnswer | Error)[];

/** An answer that was lost is asked for once more: known owner tokens get their grants again. */
export async function askFastStore(
  fast: Pick<FastStore, 'allocate'>,
  rows: readonly FastAllocateRow[],
): Promise<Answers> {
  if (rows.length === 0) return [];
  const answers = await askOnce(fast, rows);
  const lost = rows.filter((_, i) => answers[i] instanceof Error);
  if (lost.length === 0) return answers;
  const again = new Map<FastAllocateRow, FastAllocateAnswer | Error>();
  const second = await askOnce(fast, lost);
  lost.forEach((row, i) => again.set(row, second[i] as FastAllocateAnswer | Error));
  return rows.map((row, i) => again.get(row) ?? (answers[i] as FastAllocateAnswer | Error));
}

async function askOnce(
  fast: Pick<FastStore, 'allocate'>,
  rows: readonly FastAllocateRow[],
): Promise<Answers> {
  try {
    return await fast.allocate(rows);
  } catch (error) {
    return rows.map(() => error as Error);
  }
}
