import {
  STUCK_ANSWERS,
  suggestAnswer,
  type StuckAnswer,
  type StuckCause,
} from '../domain/stuck-answer';
import type { StuckHook, StuckNonce } from '../ports/stuck-hook.port';
import type { TrackedAllocation } from '../ports/tracking-store.port';
import type { Decided } from './decided';
import { mayBump } from './decide-bump';
import type { TrackingDecision, TrackingRules } from './tracking-decision';
import type { TrackingDeps } from './tracking-deps';

/** A hook may ask a person's rules, not a person: whoever wants to think longer says `wait`. */
const HOOK_TIMEOUT_MS = 5_000;

/**
 * What follows for rows that make no progress: the hook's answer when there is one, else what helps
 * by itself. A hook that fails, is late or answers nonsense decides nothing.
 */
export class AnswerStuck {
  constructor(
    private readonly deps: Pick<TrackingDeps, 'stuckHook' | 'events' | 'logger'>,
    private readonly timeoutMs: number = HOOK_TIMEOUT_MS,
  ) {}

  /** @param asked ids of rows that this look has asked about; each is asked once. */
  answer(
    decided: readonly Decided[],
    asked: Set<string>,
    rules: TrackingRules,
  ): Promise<readonly Decided[]> {
    return Promise.all(
      decided.map(async ([row, decision]) => {
        const cause = causeOf(row, decision);
        if (cause === null || asked.has(row.id)) return [row, decision] as const;
        asked.add(row.id);
        const able = { bump: mayBump(row, rules), burn: rules.burns };
        const answer = await this.decide(row, decision, { cause, able });
        if (answer === 'bump' && able.bump) return [row, { kind: 'bump' }] as const;
        if (answer === 'burn' && able.burn) return [row, { kind: 'burn' }] as const;
        return [row, decision] as const;
      }),
    );
  }

  private async decide(
    row: TrackedAllocation,
    decision: TrackingDecision,
    {
      cause,
      able,
    }: {
      readonly cause: StuckCause;
      readonly able: { readonly bump: boolean; readonly burn: boolean };
    },
  ): Promise<StuckAnswer> {
    // A higher fee behind another nonce buys nothing.
    const isHead = row.chainLatestCount === row.nonce;
    const suggestion = suggestAnswer(cause, { ...able, bump: able.bump && isHead });
    const { stuckHook } = this.deps;
    if (stuckHook === null) return suggestion;
    if (decision.kind !== 'verdict') return 'wait'; // it was asked when the row became stuck
    const stuck: StuckNonce = {
      submitter: row.submitter,
      nonce: row.nonce,
      allocationId: row.id,
      operationId: row.operationId,
      stage: row.stage,
      cause,
      reason: decision.verdict.reason,
      hashes: row.hashes,
      unchangedMs: row.unchangedMs,
      suggestion,
    };
    const answer = await this.ask(stuckHook, stuck);
    if (answer === 'alarm') {
      const { submitter, reason: detail } = stuck;
      this.deps.events.publish('anomaly', { kind: 'stuck', submitter, detail });
    }
    return answer;
  }

  private async ask(hook: StuckHook, stuck: StuckNonce): Promise<StuckAnswer> {
    const aborting = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = new Error(`no answer within ${String(this.timeoutMs)} ms`);
      timer = setTimeout(reject, this.timeoutMs, error);
    });
    try {
      const answering = (async () => hook.decide(stuck, aborting.signal))();
      const answer = await Promise.race([answering, late]);
      if (STUCK_ANSWERS.includes(answer)) return answer;
      throw new Error(`no such answer: ${answer as string}`);
    } catch (error) {
      const { submitter, nonce } = stuck;
      const cause = error instanceof Error ? error.message : String(error);
      this.deps.logger.error('the stuck hook decided nothing, the nonce waits', {
        submitter,
        nonce,
        cause,
      });
      return 'wait';
    } finally {
      clearTimeout(timer);
      aborting.abort();
    }
  }
}

function causeOf(row: TrackedAllocation, decision: TrackingDecision): StuckCause | null {
  if (row.stage !== 'INTENT' && row.stage !== 'BROADCAST') return null;
  if (decision.kind !== 'verdict' && decision.kind !== 'wait') return null;
  return decision.stuck ?? null;
}
