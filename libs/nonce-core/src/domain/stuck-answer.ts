/** Why an exposed nonce makes no progress. */
export type StuckCause =
  | 'never-executable' // a node says so of its bytes
  | 'fee-too-low' // in a pool for long, or refused for its fee
  | 'not-accepted' // for another reason: most often the account cannot pay
  | 'attempts-spent' // sent again as often as is allowed
  | 'unknown'; // no pool has it, or nobody answers

/** What is done about it. `wait` and `alarm` send nothing; the row is told as stuck in any case. */
export const STUCK_ANSWERS = ['wait', 'bump', 'burn', 'alarm'] as const;
export type StuckAnswer = (typeof STUCK_ANSWERS)[number];

/**
 * What helps without anybody being asked. A missing balance is waited for: a higher fee would need
 * more of it, and the bytes stay valid (I-10). Only bytes that can never execute are given up.
 */
export function suggestAnswer(
  cause: StuckCause,
  able: { readonly bump: boolean; readonly burn: boolean },
): StuckAnswer {
  if (cause === 'never-executable' && able.burn) return 'burn';
  if (cause === 'fee-too-low' && able.bump) return 'bump';
  return 'alarm';
}
