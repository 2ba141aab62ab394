import type { AllocationStage } from '../domain/allocation-state';
import type { LookupTrouble } from '../ports/chain.port';

/** Longest wait between two looks at a nonce that is still open. */
const SLOWEST_LOOK_MS = 60_000;
/** Each wait is this part of the time already spent without news, so waits grow like a power. */
const SHARE_OF_AGE = 0.25;

/**
 * When to look again at something that did not change: about one block time at first, less and less
 * often afterwards. The pace follows from the row's age alone, so no attempt has to be counted and
 * a restarted worker goes on at the same pace.
 */
export function nextLookMs(unchangedMs: number, pollIntervalMs: number): number {
  const wanted = unchangedMs * SHARE_OF_AGE;
  return Math.round(Math.min(SLOWEST_LOOK_MS, Math.max(pollIntervalMs, wanted)));
}

/** When to look again at a block that becomes final only after `blocks` others. */
export function lookAfterBlocksMs(blocks: number, pollIntervalMs: number): number {
  // Half the expected time: block times vary, and a look too early costs one request.
  const wanted = (Math.max(1, blocks) * pollIntervalMs) / 2;
  return Math.round(Math.min(SLOWEST_LOOK_MS, Math.max(pollIntervalMs, wanted)));
}

/** A limit per second has passed by then, one per minute is half spent. */
const RATE_LIMITED_MS = 30_000;

/**
 * When to ask again after nobody could say. A broken provider may answer the next time; one that limits
 * requests is not to be asked more because it did not answer; a refused question stays refused until
 * somebody mends the provider or its settings.
 */
export function lookAfterTroubleMs(
  trouble: LookupTrouble,
  unchangedMs: number,
  pollIntervalMs: number,
): number {
  const usual = nextLookMs(unchangedMs, pollIntervalMs);
  if (trouble === 'rate-limited') return Math.max(usual, RATE_LIMITED_MS);
  return trouble === 'bad-request' ? SLOWEST_LOOK_MS : usual;
}

/** Polls after which a transaction that pools forgot is missed: several blocks have come without it. */
const POLLS_UNTIL_MISSED = 15;

interface PacedLook {
  /** The stage from then on. */
  readonly stage: AllocationStage;
  readonly nextLookMs: number;
  readonly pollIntervalMs: number;
  /** True while a pool is not to be asked yet. */
  readonly fresh: boolean;
}

/**
 * Where heads are followed, blocks wake the rows that they decide about, and looks in between are for
 * what no block tells: a transaction that vanished, or a wake-up that was missed. So 1,000 open rows
 * cost as many requests per block as ten do.
 */
export function paceOfFollowed(look: PacedLook): number {
  const { stage, nextLookMs: wantedMs, pollIntervalMs, fresh } = look;
  if (wantedMs === 0) return 0;
  if (stage === 'MINED' || stage === 'CONFIRMED') return SLOWEST_LOOK_MS;
  if (stage === 'BROADCAST' && !fresh) {
    const missedMs = Math.min(SLOWEST_LOOK_MS, POLLS_UNTIL_MISSED * pollIntervalMs);
    return Math.max(wantedMs, missedMs);
  }
  return wantedMs;
}
