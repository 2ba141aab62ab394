import type { Hex } from '@noncekit/nonce-core/domain';
import type { BlockRef } from '@noncekit/nonce-core/ports';
import type { MinedReceipt } from './rpc-values';

/**
 * Whom to believe when providers differ, as pure decisions. Each answer is what one provider said;
 * a provider that said nothing has no answer here and so no vote.
 */

/**
 * The highest count that at least two providers vouch for: one that is ahead alone, or lies, cannot
 * raise it, and one that lags cannot lower it below what two others saw. null without an answer.
 */
export function vouchedCount(counts: readonly number[]): number | null {
  const [highest, second] = [...counts].sort((a, b) => b - a);
  return second ?? highest ?? null;
}

export type BlockVerdict = { readonly block: BlockRef | null } | 'no-answer' | 'disagreement';

/**
 * The block of a tag: of the height that two vouch for, the block most of them name. No block counts
 * as the lowest height, so one provider alone cannot make anything final.
 */
export function vouchedTag(answers: readonly (BlockRef | null)[]): BlockVerdict {
  const height = vouchedCount(answers.map((block) => block?.number ?? -1));
  if (height === null) return 'no-answer';
  if (height === -1) return { block: null };
  return mostNamed(answers.filter((block) => block?.number === height));
}

/** The block at a height: what most name. Providers that do not have it yet are behind, no more. */
export function vouchedHeight(answers: readonly (BlockRef | null)[]): BlockVerdict {
  if (answers.length === 0) return 'no-answer';
  const blocks = answers.filter((block) => block !== null);
  return blocks.length === 0 ? { block: null } : mostNamed(blocks);
}

function mostNamed(blocks: readonly (BlockRef | null)[]): BlockVerdict {
  const voices = countVoices(blocks, (block) => block?.hash);
  const [first, second] = voices;
  if (first === undefined) return 'no-answer';
  return first.voices === second?.voices ? 'disagreement' : { block: first.value };
}

/** Height → hash of the block there → how many providers name it. */
export type CanonicalVotes = ReadonlyMap<number, ReadonlyMap<Hex, number>>;

export type ReceiptVerdict = MinedReceipt | 'absent' | 'no-answer' | 'disagreement';

/**
 * A receipt counts when its block is the one that more providers name at that height than any other
 * block: a node may still hold receipts of a block that was undone. Without such a receipt, absent
 * needs one provider that knows none, and nobody whose receipt is in doubt.
 */
export function judgeReceipt(
  answers: readonly (MinedReceipt | 'none')[],
  canonical: CanonicalVotes,
): ReceiptVerdict {
  const mined = answers.filter((answer) => answer !== 'none');
  const standing = mined.map((receipt) => ({ receipt, balance: balanceOf(receipt, canonical) }));
  const upheld = standing.filter(({ balance }) => balance > 0).map(({ receipt }) => receipt);
  const [first, second] = countVoices(
    upheld,
    ({ blockHash, succeeded }) => `${blockHash} ${succeeded}`,
  );
  if (first !== undefined) {
    return first.voices === second?.voices ? 'disagreement' : first.value;
  }
  if (standing.some(({ balance }) => balance === 0)) return 'disagreement';
  if (answers.includes('none')) return 'absent';
  return mined.length > 0 ? 'disagreement' : 'no-answer';
}

/** Voices for the receipt's block at its height, minus those for other blocks there. */
function balanceOf({ blockNumber, blockHash }: MinedReceipt, canonical: CanonicalVotes): number {
  let balance = 0;
  for (const [hash, voices] of canonical.get(blockNumber) ?? []) {
    balance += hash === blockHash ? voices : -voices;
  }
  return balance;
}

interface Voices<T> {
  readonly value: T;
  readonly voices: number;
}

/** Most voices first. */
function countVoices<T>(values: readonly T[], keyOf: (value: T) => unknown): readonly Voices<T>[] {
  const groups = new Map<unknown, { value: T; voices: number }>();
  for (const value of values) {
    const group = groups.get(keyOf(value)) ?? { value, voices: 0 };
    group.voices += 1;
    groups.set(keyOf(value), group);
  }
  return [...groups.values()].sort((a, b) => b.voices - a.voices);
}
