import { engineOf } from '../domain/engine-mode';
import type { Submitter } from '../domain/submitter';
import type { Clock } from '../ports/clock.port';
import type { FastEpochStore } from '../ports/fast-epoch-store.port';
import type { FastStore, FastView } from '../ports/fast-store.port';
import type { Logger } from '../ports/logger.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { DrainWait, ModeStore } from '../ports/mode-store.port';
import type { TakeOver } from '../ports/take-over.port';

export interface DrainFastDeps {
  /** Flushes these shards until nothing waits or the time is over; how many events still wait. */
  readonly flush: (
    shards: readonly number[],
    until: { readonly deadlineMs: number; readonly signal?: AbortSignal },
  ) => Promise<number>;
  readonly fast: Pick<FastStore, 'canary' | 'shardOf'>;
  readonly epochs: Pick<FastEpochStore, 'listRuling'>;
  readonly takeOver: Pick<TakeOver, 'takeAll'>;
  readonly store: Pick<ModeStore, 'countFastGrants' | 'countFastEpochs'>;
  readonly mode: Pick<ModeSource, 'current' | 'refresh'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface DrainOrder {
  /** True: live holders may settle until the deadline. False: their grants become rows at once. */
  readonly waitForGrants: boolean;
  /** From now on; then what is left becomes rows. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Told at least every `REPORT_MS`; false = this drain is somebody else's by now, or nobody's. */
  readonly tell: (waitsFor: DrainWait) => Promise<boolean>;
}

interface Drain extends DrainOrder {
  readonly endMs: number;
  readonly endsAtMs: number;
  events: number;
}

const REPORT_MS = 500;
const POLL_MS = 50;
/** Counting further says nothing more to people who wait. */
const COUNTED_MAX = 100_000;
/** Of one script run per shard; a busy epoch has about a window of facts. */
const PAGE = 128;
/** Between pages, so that grants find free connections and a free Redis. */
const PAGE_PAUSE_MS = 5;

/**
 * Empties the fast store: its events and its grants become rows, its epochs end. Nobody waits for
 * it: the mode is in force before it begins, and whoever touches a submitter earlier takes it over
 * alone. All of it may be done twice, by two nodes, and be left half done.
 */
export class DrainFast {
  private readonly shards: readonly number[];

  constructor(
    private readonly deps: DrainFastDeps,
    shards: number,
  ) {
    this.shards = Array.from({ length: shards }, (_, shard) => shard);
  }

  /** @returns what became of it, for people; null when it was not this node's any more. */
  async run(order: DrainOrder): Promise<string | null> {
    const { clock, mode } = this.deps;
    const drain: Drain = {
      ...order,
      endMs: clock.monotonicMs() + order.deadlineMs,
      endsAtMs: clock.nowMs() + order.deadlineMs,
      events: 0,
    };
    await mode.refresh();
    const unsettled = await this.settle(drain);
    if (unsettled === null) return null;
    const ended = await this.endEpochs(drain);
    if (ended === null) return null;
    // What the last holders said in between; a store that is full or away keeps its events.
    drain.events = await this.flush(drain, Math.max(REPORT_MS, drain.endMs - clock.monotonicMs()));
    return noteOf({ ended, unsettled, events: drain.events });
  }

  /** Ends a page of epochs that nobody has come across since the mode left them; the next page's start. */
  async sweep(after: Submitter | null, signal: AbortSignal): Promise<Submitter | null> {
    const views = await this.deps.epochs.listRuling(after, PAGE);
    if (!signal.aborted) {
      const left = this.notEntitled(views);
      if (left.length > 0 && (await this.answers(left))) await this.deps.takeOver.takeAll(left);
    }
    return views.length < PAGE ? null : (views.at(-1)?.submitter ?? null);
  }

  /** Until nothing waits and nothing is held, or until the deadline. @returns what is still held. */
  private async settle(drain: Drain): Promise<number | null> {
    const { clock, store } = this.deps;
    for (;;) {
      const leftMs = drain.endMs - clock.monotonicMs();
      drain.events = await this.flush(drain, Math.min(REPORT_MS, Math.max(0, leftMs)));
      const grants = drain.waitForGrants ? await store.countFastGrants(COUNTED_MAX) : 0;
      if (!(await this.tell(drain, grants))) return null;
      const isSettled = drain.events === 0 && grants === 0;
      if (isSettled || clock.monotonicMs() >= drain.endMs) return grants;
      if (drain.events === 0) await clock.sleep(POLL_MS, drain.signal);
    }
  }

  private async endEpochs(drain: Drain): Promise<number | null> {
    const { clock, epochs, takeOver } = this.deps;
    let ended = 0;
    let toldAtMs = clock.monotonicMs();
    let after: Submitter | null = null;
    do {
      const views: readonly FastView[] = await epochs.listRuling(after, PAGE);
      const left = this.notEntitled(views);
      if (left.length > 0) {
        if (!(await this.untilAnswered(drain, left))) return null;
        const answers = await takeOver.takeAll(left);
        ended += answers.filter((answer) => answer === 'taken').length;
      }
      after = views.length < PAGE ? null : (views.at(-1)?.submitter ?? null);
      if (clock.monotonicMs() - toldAtMs >= REPORT_MS || after === null) {
        toldAtMs = clock.monotonicMs();
        if (!(await this.tell(drain, 0))) return null;
      }
      await clock.sleep(PAGE_PAUSE_MS, drain.signal);
    } while (after !== null);
    return ended;
  }

  /** A store that is away is waited for until the deadline: ended unheard, its holders lose more. */
  private async untilAnswered(drain: Drain, views: readonly FastView[]): Promise<boolean> {
    const { clock } = this.deps;
    while (!(await this.answers(views))) {
      if (clock.monotonicMs() >= drain.endMs) break;
      if (!(await this.tell(drain, 0))) return false;
      await clock.sleep(REPORT_MS, drain.signal);
    }
    return true;
  }

  private async answers(views: readonly FastView[]): Promise<boolean> {
    const { fast } = this.deps;
    const shards = new Set(views.map(({ submitter }) => fast.shardOf(submitter)));
    return fast.canary([...shards]).then(
      () => true,
      () => false,
    );
  }

  /** Pinned submitters may stay where they are. */
  private notEntitled(views: readonly FastView[]): readonly FastView[] {
    const { mode, pins } = this.deps.mode.current();
    return views.filter(
      ({ submitter }) => engineOf(mode, pins.get(submitter) ?? null) !== 'performance',
    );
  }

  /** @returns how many events wait as far as is known; a store that fails is asked again. */
  private async flush(drain: Drain, forMs: number): Promise<number> {
    const { flush, clock, logger } = this.deps;
    try {
      return await flush(this.shards, { deadlineMs: forMs, signal: drain.signal });
    } catch (error) {
      logger.warn('a drain could not flush for now', { reason: String(error) });
      await clock.sleep(Math.min(REPORT_MS, forMs), drain.signal);
      // Nothing is known; one at least waits, or nobody would have to ask again.
      return Math.max(1, drain.events);
    }
  }

  private async tell(drain: Drain, grants: number): Promise<boolean> {
    if (drain.signal.aborted) return false;
    const epochs = await this.deps.store.countFastEpochs(COUNTED_MAX);
    return drain.tell({ events: drain.events, grants, epochs, deadlineMs: drain.endsAtMs });
  }
}

function noteOf(left: { ended: number; unsettled: number; events: number }): string {
  const parts = [`${String(left.ended)} epochs ended`];
  if (left.unsettled > 0) parts.push(`${String(left.unsettled)} grants parked at the deadline`);
  if (left.events > 0) parts.push(`${String(left.events)} events left to the workers`);
  return parts.join(', ');
}
