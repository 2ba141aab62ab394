import type { AllocationStage } from './allocation-state';
import type { ErrorCode } from './errors/catalogue';

/**
 * What a holder may say about its allocation, and what each saying does in each stage, as data.
 * The owner check comes first: a row that carries another owner token answers NONCE_FENCED.
 *
 *   intent      these bytes may now leave (with hash)
 *   submitted   a node took them (with hash)
 *   used        the work is done (with or without hash)
 *   recyclable  it was never sent
 *   quarantine  it may have been sent, hash unknown
 *   keep        still wanted; the note is stored
 *   heartbeat   still alive; the deadline moves
 */
export const HOLDER_COMMANDS = [
  'intent',
  'submitted',
  'used',
  'recyclable',
  'quarantine',
  'keep',
  'heartbeat',
] as const;
export type HolderCommand = (typeof HOLDER_COMMANDS)[number];

/** `move` changes the stage, `stay` writes without moving, `same` repeats a known fact, `refuse` changes nothing. */
export type HolderVerdict =
  | { readonly kind: 'move'; readonly to: AllocationStage }
  | { readonly kind: 'stay' }
  | { readonly kind: 'same' }
  | { readonly kind: 'refuse'; readonly code: ErrorCode };

export interface HolderFacts {
  readonly stage: AllocationStage;
  /** The command names a hash. */
  readonly hasHash: boolean;
  /** That hash is already recorded at this nonce. */
  readonly hashKnown: boolean;
  /** At least one hash of this holder is recorded at this nonce. */
  readonly anyHash: boolean;
  /** A chain is configured, so a recorded hash can be followed to its end. */
  readonly followable: boolean;
  /** Somebody else may have sent: an earlier holder, or another run of the same operation. */
  readonly replacement: boolean;
}

const move = (to: AllocationStage): HolderVerdict => ({ kind: 'move', to });
const refuse = (code: ErrorCode): HolderVerdict => ({ kind: 'refuse', code });
const stay: HolderVerdict = { kind: 'stay' };
const same: HolderVerdict = { kind: 'same' };
const closed = refuse('NONCE_ALLOCATION_CLOSED');

/** One pure decision per command; the database function answers alike, row by row (tested). */
export function decideHolderCommand(command: HolderCommand, facts: HolderFacts): HolderVerdict {
  switch (command) {
    case 'intent':
      return decideIntent(facts);
    case 'submitted':
      return decideSubmitted(facts);
    case 'used':
      return decideUsed(facts);
    case 'recyclable':
      return decideRecyclable(facts);
    case 'quarantine':
      return decideQuarantine(facts);
    case 'keep':
    case 'heartbeat':
      return decideSignOfLife(facts);
  }
}

function decideIntent(facts: HolderFacts): HolderVerdict {
  switch (facts.stage) {
    case 'GRANTED':
    case 'QUARANTINED':
    case 'REUSABLE': // a late owner whose nonce nobody else got yet
      return move('INTENT');
    case 'INTENT':
    case 'BROADCAST':
      return facts.hashKnown ? same : stay; // another hash is a fee bump by the same holder
    case 'BURNING':
    case 'BURNT': // closed by us: also bytes that were recorded before must not leave now
      return refuse('NONCE_FENCED');
    default:
      return facts.hashKnown ? same : closed;
  }
}

function decideSubmitted(facts: HolderFacts): HolderVerdict {
  switch (facts.stage) {
    case 'GRANTED':
    case 'INTENT':
      return move('BROADCAST');
    case 'QUARANTINED':
    case 'REUSABLE': // the hash makes it exposed; the tracker carries it on from there
      return move('INTENT');
    case 'BROADCAST':
      return facts.hashKnown ? same : stay;
    default:
      return facts.hashKnown ? same : closed;
  }
}

function decideUsed(facts: HolderFacts): HolderVerdict {
  const follow = facts.followable && (facts.hasHash || facts.anyHash);
  switch (facts.stage) {
    case 'GRANTED':
    case 'INTENT':
      return move(follow ? 'BROADCAST' : 'ASSERTED');
    case 'QUARANTINED':
      return move(follow ? 'INTENT' : 'ASSERTED');
    case 'BROADCAST':
      if (!facts.followable) return move('ASSERTED');
      return facts.hasHash && !facts.hashKnown ? stay : same;
    case 'REUSABLE':
      return facts.hasHash ? move('INTENT') : closed;
    case 'BURNING':
    case 'BURNT':
    case 'CONSUMED_EXTERNAL': // the nonce went to other bytes: the work was not done by it
      return closed;
    default:
      return facts.hasHash && !facts.hashKnown ? closed : same;
  }
}

function decideRecyclable(facts: HolderFacts): HolderVerdict {
  switch (facts.stage) {
    case 'GRANTED':
      return move(facts.replacement ? 'QUARANTINED' : 'REUSABLE');
    case 'QUARANTINED': // surrender: the only possible sender says it never sent
      return facts.anyHash || facts.replacement ? refuse('NONCE_RECYCLE_UNSAFE') : move('REUSABLE');
    case 'INTENT':
    case 'BROADCAST':
    case 'MINED':
    case 'BURNING':
      return refuse('NONCE_RECYCLE_UNSAFE');
    case 'REUSABLE':
      return same;
    default:
      return closed;
  }
}

function decideQuarantine(facts: HolderFacts): HolderVerdict {
  switch (facts.stage) {
    case 'GRANTED':
    case 'REUSABLE':
      return move('QUARANTINED');
    case 'QUARANTINED':
    case 'INTENT':
    case 'BROADCAST':
      return same; // already treated as exposed
    default:
      return closed;
  }
}

function decideSignOfLife(facts: HolderFacts): HolderVerdict {
  switch (facts.stage) {
    case 'GRANTED':
    case 'INTENT': // the holder lives: nobody else needs to send its bytes yet
      return stay;
    case 'BROADCAST':
    case 'MINED':
    case 'CONFIRMED':
      return same; // followed by the tracker; the holder has lost nothing
    default:
      return closed;
  }
}
