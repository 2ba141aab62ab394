import type { Submitter } from '../../domain/submitter';
import type { MirrorDivergence, MirrorStanding } from '../../ports/mirror.port';

/** Told to people: the newest ones say all that the older ones do. */
const MAX_LISTED = 200;

/** How far the comparison has come, and what it found. */
export class MirrorRounds {
  /** Last submitter compared in this round; null at its start. */
  after: Submitter | null = null;
  private listed: readonly MirrorDivergence[] = [];
  private looked = 0;
  private differences = 0;
  private lastDifferences = 0;
  private epoch: number | null = null;
  private compared: number | null = null;
  private clean = false;

  /** A mode that was left and entered again is compared anew. */
  begin(epoch: number): void {
    if (this.epoch !== epoch) this.restart();
    this.epoch = epoch;
  }

  note(look: { readonly submitters: number; readonly differences: number }): void {
    this.looked += look.submitters;
    this.differences += look.differences;
    if (look.differences > 0) this.clean = false;
  }

  list(divergences: readonly MirrorDivergence[]): void {
    this.listed = [...divergences, ...this.listed].slice(0, MAX_LISTED);
  }

  /** `last` is null when no page follows. */
  endPage(last: Submitter | null): void {
    this.after = last;
    if (last !== null) return;
    this.clean = this.differences === 0;
    this.compared = this.looked;
    this.lastDifferences = this.differences;
    this.looked = 0;
    this.differences = 0;
  }

  /** All that was compared counts for nothing any more; what was found stays listed. */
  restart(): void {
    this.after = null;
    this.looked = 0;
    this.differences = 0;
    this.lastDifferences = 0;
    this.compared = null;
    this.clean = false;
  }

  standing(asOfMs: number): MirrorStanding {
    return {
      inStep: this.clean,
      asOfMs,
      modeEpoch: this.epoch ?? 0,
      compared: this.compared,
      differences: this.lastDifferences + this.differences,
      divergences: this.listed,
    };
  }
}
