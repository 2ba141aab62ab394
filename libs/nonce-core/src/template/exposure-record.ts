import type { Hex } from '../domain/brand';
import type { NonceError } from '../domain/errors/nonce-error';

/** What earlier runs with the same nonce left behind when they wrote no intent. */
export type EarlierRuns =
  | 'unsent' // none, or provably nothing left
  | 'maybe-sent' // an earlier run of this call
  | 'maybe-sent-elsewhere'; // a run that this call knows nothing about, of a dead process perhaps

/**
 * Everything that tells whether bytes at one nonce may have left. Evidence is only ever added: a
 * later run cannot make an earlier one unsent.
 */
export class ExposureRecord {
  /** The present run has read the nonce. */
  nonceRead = false;
  /** The present run said that it sent nothing. */
  notBroadcast = false;
  /** Set when the store said that the nonce belongs to somebody else now. */
  lost: NonceError | null = null;
  /** Hash that a node took, reported when the handler ended without success. */
  acceptedHash: Hex | null = null;
  private readonly written = new Set<Hex>();
  private readonly unanswered = new Set<Hex>();

  constructor(
    public earlierRuns: EarlierRuns,
    exposedBefore: readonly Hex[] = [],
    private readonly alwaysExposed = false,
  ) {
    for (const hash of exposedBefore) this.written.add(hash);
  }

  get intents(): 'none' | 'written' | 'unanswered' {
    if (this.written.size > 0 || this.alwaysExposed) return 'written';
    return this.unanswered.size > 0 ? 'unanswered' : 'none';
  }

  /** Every hash under which bytes may be out, oldest first. */
  get hashes(): readonly Hex[] {
    return [...this.written, ...this.unanswered];
  }

  beginRun(previousMayHaveSent: boolean): void {
    if (previousMayHaveSent && this.earlierRuns === 'unsent') this.earlierRuns = 'maybe-sent';
    this.nonceRead = false;
    this.notBroadcast = false;
  }

  /** Counts as exposure from before the request until a definite answer. */
  intentAsked(hash: Hex): void {
    if (!this.written.has(hash)) this.unanswered.add(hash);
  }

  intentWritten(hash: Hex): void {
    this.unanswered.delete(hash);
    this.written.add(hash);
  }

  /** The store answered the first request for this hash with a refusal: it wrote nothing. */
  intentRefused(hash: Hex): void {
    this.unanswered.delete(hash);
  }
}
