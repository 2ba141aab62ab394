import type { AllocationStage } from './allocation-state';
import type { Nonce } from './nonce';
import type { NonceGap } from './submitter-view';

/** A nonce that nothing carries to the chain just now, so everything above it waits. */
export interface BlockingNonce {
  readonly nonce: Nonce;
  readonly stage: 'REUSABLE' | 'QUARANTINED' | 'GRANTED';
  /** Needs a decision by its owner or an operator. */
  readonly stuck: boolean;
}

interface Explanation {
  readonly cause: string;
  readonly suggestion: string;
}

const STUCK: Explanation = {
  cause: 'it may have been sent, and no evidence decides it',
  suggestion: 'report its hash with `used`, or release it with `recyclable` if it was never sent',
};

const EXPLANATIONS: Readonly<Record<BlockingNonce['stage'], Explanation>> = {
  REUSABLE: {
    cause: 'its holder failed before sending, and nobody has asked for a nonce since',
    suggestion:
      'allocate: the lowest reusable nonce is issued first; with a burn signer the worker closes it',
  },
  QUARANTINED: {
    cause: 'it may have been sent with a hash nobody reported',
    suggestion: 'wait for evidence or its release as a replacement, or let its owner report',
  },
  GRANTED: {
    cause: 'its holder passed the deadline without a report',
    suggestion: 'wait for the next sweep, and check that a worker runs',
  },
};

/** Joins neighbouring nonces that block for the same reason into runs, in nonce order. */
export function toGaps(blocking: readonly BlockingNonce[]): readonly NonceGap[] {
  const gaps: NonceGap[] = [];
  const ordered = [...blocking].sort((a, b) => a.nonce - b.nonce);
  for (const { nonce, stage, stuck } of ordered) {
    const explanation = stuck ? STUCK : EXPLANATIONS[stage];
    const last = gaps.at(-1);
    if (last !== undefined && continues(last, { nonce, stage, cause: explanation.cause })) {
      gaps[gaps.length - 1] = { ...last, to: nonce };
    } else {
      gaps.push({ from: nonce, to: nonce, stage, ...explanation });
    }
  }
  return gaps;
}

function continues(
  gap: NonceGap,
  next: { readonly nonce: Nonce; readonly stage: AllocationStage; readonly cause: string },
): boolean {
  return gap.to + 1 === next.nonce && gap.stage === next.stage && gap.cause === next.cause;
}
