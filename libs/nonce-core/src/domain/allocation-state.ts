/**
 * The life of one nonce, as data. Callers see three statuses; each stage belongs to one of them.
 *
 * RESERVED
 *   GRANTED      a handler holds it
 *   INTENT       durable record of bytes that may be out
 *   BROADCAST    a node took them
 *   MINED        receipt of one of our hashes, not yet confirmed
 *   QUARANTINED  perhaps sent, hash unknown or holder dead
 *   BURNING      our own no-op at the same nonce is out
 * USED
 *   ASSERTED     the caller says used; no hash to follow or no chain configured
 *   CONFIRMED    enough confirmations for the user, not yet final
 *   FINAL, BURNT, CONSUMED_EXTERNAL   the end
 * RECYCLABLE
 *   REUSABLE     proven never exposed; issued again, lowest first
 *
 * The database enforces the same table by trigger; a test compares the two.
 */
export const ALLOCATION_STAGES = [
  'GRANTED',
  'INTENT',
  'BROADCAST',
  'MINED',
  'QUARANTINED',
  'BURNING',
  'ASSERTED',
  'CONFIRMED',
  'FINAL',
  'BURNT',
  'CONSUMED_EXTERNAL',
  'REUSABLE',
] as const;
export type AllocationStage = (typeof ALLOCATION_STAGES)[number];

export const ALLOCATION_STATUSES = ['RESERVED', 'USED', 'RECYCLABLE'] as const;
export type AllocationStatus = (typeof ALLOCATION_STATUSES)[number];

export const STATUS_OF: Readonly<Record<AllocationStage, AllocationStatus>> = {
  GRANTED: 'RESERVED',
  INTENT: 'RESERVED',
  BROADCAST: 'RESERVED',
  MINED: 'RESERVED',
  QUARANTINED: 'RESERVED',
  BURNING: 'RESERVED',
  ASSERTED: 'USED',
  CONFIRMED: 'USED',
  FINAL: 'USED',
  BURNT: 'USED',
  CONSUMED_EXTERNAL: 'USED',
  REUSABLE: 'RECYCLABLE',
};

/** Which stage may follow which. A stage never follows itself: repeating a fact is no move. */
export const TRANSITIONS = {
  GRANTED: ['INTENT', 'BROADCAST', 'ASSERTED', 'QUARANTINED', 'REUSABLE', 'CONSUMED_EXTERNAL'],
  // ASSERTED after INTENT or BROADCAST only where no chain is configured: nothing can be followed.
  INTENT: ['BROADCAST', 'MINED', 'BURNING', 'QUARANTINED', 'ASSERTED', 'CONSUMED_EXTERNAL'],
  BROADCAST: ['MINED', 'BURNING', 'ASSERTED', 'CONSUMED_EXTERNAL'],
  MINED: ['CONFIRMED', 'BROADCAST'],
  // ASSERTED by its own, un-rivalled holder only: a report that came after the deadline.
  QUARANTINED: [
    'INTENT',
    'GRANTED',
    'MINED',
    'BURNING',
    'ASSERTED',
    'CONSUMED_EXTERNAL',
    'REUSABLE',
  ],
  BURNING: ['MINED', 'BURNT', 'CONSUMED_EXTERNAL'],
  ASSERTED: ['FINAL', 'CONSUMED_EXTERNAL'],
  CONFIRMED: ['FINAL', 'BROADCAST'],
  FINAL: [],
  BURNT: [],
  CONSUMED_EXTERNAL: [],
  REUSABLE: ['GRANTED', 'INTENT', 'QUARANTINED', 'CONSUMED_EXTERNAL'],
} as const satisfies Readonly<Record<AllocationStage, readonly AllocationStage[]>>;

/** Stages in which a row may come into being. */
export const INITIAL_STAGES = [
  'GRANTED',
  'INTENT',
  'BROADCAST', // by a fast grant whose report came before its row
  'QUARANTINED',
  'REUSABLE',
  'ASSERTED',
] as const satisfies readonly AllocationStage[];

/** Stages that never change again. */
export const TERMINAL_STAGES = [
  'FINAL',
  'BURNT',
  'CONSUMED_EXTERNAL',
] as const satisfies readonly AllocationStage[];

export function canMove(from: AllocationStage, to: AllocationStage): boolean {
  return (TRANSITIONS[from] as readonly AllocationStage[]).includes(to);
}

/** The stages of one status, in table order. */
export function stagesOf(status: AllocationStatus): readonly AllocationStage[] {
  return ALLOCATION_STAGES.filter((stage) => STATUS_OF[stage] === status);
}
