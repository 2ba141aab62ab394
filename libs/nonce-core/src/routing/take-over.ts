import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { FastEpochStore } from '../ports/fast-epoch-store.port';
import type { FastView } from '../ports/fast-store.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { EpochHandOver, TakeOver, TakeOverAnswer } from '../ports/take-over.port';

export interface TakeOverPorts {
  readonly epochs: Pick<FastEpochStore, 'ruling' | 'takeOver'>;
  readonly mode: Pick<ModeSource, 'current' | 'refresh' | 'engineFor'>;
  /** null where this process has no fast store: its epochs are closed unheard then. */
  readonly handOver: EpochHandOver | null;
}

export interface TakeOverSettings {
  /** Submitters whose epochs are handed over together. */
  readonly groupMax: number;
  /** Statements of one group at a time. */
  readonly statementsInFlight: number;
}

/** Half of a usual pool of 10, so that grants keep their connections. */
const TAKE_OVER_DEFAULTS: TakeOverSettings = { groupMax: 64, statementsInFlight: 4 };

/** Fast epochs that others may open in between, one after the other. */
const MAX_ROUNDS = 3;

interface Waiting {
  readonly submitter: Submitter;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Gives submitters to the reliable engine: the fast store ends the epoch and tells what it knew,
 * Postgres takes these facts, and only then closes the epoch. Submitters asked for together share
 * the first two steps; one group is on its way at a time and the next gathers meanwhile.
 */
export class TakeOverSubmitters implements TakeOver {
  private readonly taking = new Map<Submitter, Promise<void>>();
  private queue: Waiting[] = [];
  private busy = false;

  constructor(
    private readonly ports: TakeOverPorts,
    private readonly settings: TakeOverSettings = TAKE_OVER_DEFAULTS,
  ) {}

  take(submitter: Submitter): Promise<void> {
    let taking = this.taking.get(submitter);
    if (taking === undefined) {
      taking = new Promise<void>((resolve, reject) => {
        this.queue.push({ submitter, resolve, reject });
      }).finally(() => this.taking.delete(submitter));
      this.taking.set(submitter, taking);
      this.planTurn();
    }
    return taking;
  }

  async takeAll(views: readonly FastView[]): Promise<readonly (TakeOverAnswer | Error)[]> {
    const modeEpoch = this.ports.mode.current().epoch;
    const ends = await this.endsOf(views);
    const answers = await this.each(views, ({ submitter, epoch }, i) => {
      const retiredNext = ends[i] ?? null;
      return this.ports.epochs.takeOver(submitter, { epoch, retiredNext }, modeEpoch);
    });
    const over = views.filter((_, i) => answers[i] === 'taken' && (ends[i] ?? null) !== null);
    await this.ports.handOver?.forget(over);
    return answers;
  }

  private endsOf(views: readonly FastView[]): Promise<readonly (number | null)[]> {
    const { handOver } = this.ports;
    return handOver === null ? Promise.resolve(views.map(() => null)) : handOver.end(views);
  }

  private planTurn(): void {
    if (this.busy || this.queue.length === 0) return;
    this.busy = true;
    setImmediate(() => {
      const group = this.queue.splice(0, this.settings.groupMax);
      void this.takeGroup(group)
        .catch((error: unknown) => {
          for (const each of group) each.reject(error);
        })
        .finally(() => {
          this.busy = false;
          this.planTurn();
        });
    });
  }

  /** A node that is behind must not end epochs that still rule: the mode is read first. */
  private async takeGroup(group: readonly Waiting[]): Promise<void> {
    let open = group;
    for (let round = 0; open.length > 0 && round < MAX_ROUNDS; round += 1) {
      await this.ports.mode.refresh();
      open = refuse(open, (each) => this.ports.mode.engineFor(each.submitter) === 'performance');
      open = await this.takeOnce(open);
    }
    refuse(open, () => true);
  }

  /** @returns those that have to be looked at again. */
  private async takeOnce(group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { epochs, mode } = this.ports;
    const views = await this.each(group, (each) => epochs.ruling(each.submitter));
    const ruled = views.flatMap((view) => (isView(view) ? view : []));
    const taken = await this.takeAll(ruled);
    const bySubmitter = new Map(ruled.map(({ submitter }, i) => [submitter, taken[i]]));
    const { epoch } = mode.current();
    const answers = await this.each(group, async ({ submitter }, i) => {
      const view = views[i];
      if (view instanceof Error) throw view;
      // Closed already, or never opened anywhere: only Postgres has to be told.
      return bySubmitter.get(submitter) ?? epochs.takeOver(submitter, null, epoch);
    });
    return group.filter((each, i) => {
      const answer = answers[i];
      if (answer === 'taken') each.resolve();
      else if (answer instanceof Error) each.reject(answer);
      else return true;
      return false;
    });
  }

  /** One after the other in as many lanes as statements may be on their way. */
  private async each<Item, Answer>(
    items: readonly Item[],
    ask: (item: Item, index: number) => Promise<Answer>,
  ): Promise<(Answer | Error)[]> {
    const answers: (Answer | Error)[] = [];
    const left = items.entries();
    const lane = async (): Promise<void> => {
      for (const [i, item] of left) {
        try {
          answers[i] = await ask(item, i);
        } catch (error) {
          answers[i] = toError(error);
        }
      }
    };
    await Promise.all(Array.from({ length: this.settings.statementsInFlight }, lane));
    return answers;
  }
}

function refuse(
  group: readonly Waiting[],
  isRefused: (each: Waiting) => boolean,
): readonly Waiting[] {
  return group.filter((each) => {
    if (!isRefused(each)) return true;
    each.reject(new NonceError('NONCE_MODE_SWITCHING'));
    return false;
  });
}

function isView(view: FastView | null | Error): view is FastView {
  return view !== null && !(view instanceof Error);
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
