import type { TrackedAllocation } from '../ports/tracking-store.port';
import { AnswerStuck } from './answer-stuck';
import { BumpRows } from './bump-rows';
import { BurnRows } from './burn-rows';
import type { Decided, Judging } from './decided';
import { SendRows } from './send-rows';
import type { TrackingDeps } from './tracking-deps';

/**
 * Does what was decided about the rows of one look: asks about stuck ones, lets burns and higher fees
 * be signed and records them, sends. What a node answers may ask for one more round of that.
 */
export class ActOnRows {
  private readonly stuck: AnswerStuck;
  private readonly burns: BurnRows | null;
  private readonly bumps: BumpRows | null;
  private readonly sending: SendRows;

  constructor(deps: TrackingDeps, claimMs: number) {
    this.stuck = new AnswerStuck(deps);
    this.burns = deps.burnSigner === null ? null : new BurnRows(deps, deps.burnSigner);
    this.bumps = deps.signer === null ? null : new BumpRows(deps, deps.signer);
    this.sending = new SendRows(deps, claimMs);
  }

  /** @returns what is left to write down: verdicts, and when to look again. */
  async act(judged: readonly Decided[], by: Judging): Promise<readonly Decided[]> {
    const asked = new Set<string>();
    const sent = await this.round(judged, asked, by);
    return this.round(sent, asked, by);
  }

  private async round(
    judged: readonly Decided[],
    asked: Set<string>,
    by: Judging,
  ): Promise<readonly Decided[]> {
    const answered = await this.stuck.answer(judged, asked, by.rules);
    const burning = rowsToPrepare(answered, 'burn');
    const bumping = rowsToPrepare(answered, 'bump');
    const prepared = [
      ...((await this.burns?.prepare(burning, by.chain, by.rules)) ?? []),
      ...((await this.bumps?.prepare(bumping, by.rules)) ?? []),
    ];
    const others = answered.filter(([, { kind }]) => kind !== 'burn' && kind !== 'bump');
    return this.sending.send([...others, ...prepared], recordedIds(prepared), by);
  }
}

function rowsToPrepare(
  decided: readonly Decided[],
  kind: 'burn' | 'bump',
): readonly TrackedAllocation[] {
  return decided.filter(([, decision]) => decision.kind === kind).map(([row]) => row);
}

/** Rows whose bytes were recorded just now: that record is the claim to send them. */
function recordedIds(prepared: readonly Decided[]): ReadonlySet<string> {
  return new Set(prepared.filter(([, { kind }]) => kind === 'resend').map(([{ id }]) => id));
}
