import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type { FastEpochStore, TakeOverRow } from '../ports/fast-epoch-store.port';
import type { FastView } from '../ports/fast-store.port';
import type { ModeSource } from '../ports/mode-source.port';
import type { EpochHandOver, TakeOver, TakeOverAnswer } from '../ports/take-over.port';
import { takeOverInPieces, type PieceLimits } from './take-over-pieces';

export interface TakeOverPorts {
  readonly epochs: Pick<FastEpochStore, 'rulingAmong' | 'takeOver'>;
  readonly mode: Pick<ModeSource, 'current' | 'refresh' | 'engineFor'>;
  /** null where this process has no fast store: its epochs are closed unheard then. */
  readonly handOver: EpochHandOver | null;
}

export interface TakeOverSettings extends PieceLimits {
  /** Submitters whose epochs are handed over together. */
  readonly groupMax: number;
}

/**
 * The last of 2,000 that are touched at once is in the eighth group. A statement of 128 takes 30 ms;
 * two at a time leave a usual pool of 10 to grants.
 */
const TAKE_OVER_DEFAULTS: TakeOverSettings = {
  groupMax: 256,
  pieceMax: 128,
  statementsInFlight: 2,
};

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
 * each step; one group is on its way at a time and the next gathers meanwhile.
 */
export class TakeOverSubmitters implements TakeOver {
  private readonly taking = new Map<Submitter, Promise<void>>();
  private queue: Waiting[] = [];
  private busy = false;
  private forgetting: Promise<void> = Promise.resolve();

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
    const rows = await this.end(views);
    const answers = await this.ask(rows, modeEpoch);
    await this.forget(views, rows, answers);
    return answers;
  }

  /** Ends these epochs in their store, as far as it answers. */
  private async end(views: readonly FastView[]): Promise<readonly TakeOverRow[]> {
    const { handOver } = this.ports;
    const ends = handOver === null ? [] : await handOver.end(views);
    return views.map(({ submitter, epoch }, i) => ({
      submitter,
      ending: { epoch, retiredNext: ends[i] ?? null },
    }));
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
    if (group.length === 0) return [];
    const { epochs, mode } = this.ports;
    const modeEpoch = mode.current().epoch;
    const ruling = await epochs.rulingAmong(group.map(({ submitter }) => submitter));
    const views = [...ruling.values()];
    const ended = await this.end(views);
    // Closed already, or never opened anywhere: only Postgres has to be told.
    const closed = group.flatMap(({ submitter }) =>
      ruling.has(submitter) ? [] : { submitter, ending: null },
    );
    const rows = [...ended, ...closed];
    const answers = await this.ask(rows, modeEpoch);
    const answerOf = new Map(rows.map(({ submitter }, i) => [submitter, answers[i]]));
    const again = group.filter((each) => {
      const answer = answerOf.get(each.submitter);
      if (answer === 'taken') each.resolve();
      else if (answer instanceof Error) each.reject(answer);
      else return true;
      return false;
    });
    // Nobody waits for it but the group after the next.
    const forgotten = this.forgetting;
    this.forgetting = this.forget(views, ended, answers);
    await forgotten;
    return again;
  }

  private ask(
    rows: readonly TakeOverRow[],
    modeEpoch: number,
  ): Promise<readonly (TakeOverAnswer | Error)[]> {
    const take = (piece: readonly TakeOverRow[]) => this.ports.epochs.takeOver(piece, modeEpoch);
    return takeOverInPieces(rows, take, this.settings);
  }

  /** The store need not keep what Postgres has closed by what it told. */
  private async forget(
    views: readonly FastView[],
    ended: readonly TakeOverRow[],
    answers: readonly (TakeOverAnswer | Error)[],
  ): Promise<void> {
    const over = views.filter(
      (_, i) => answers[i] === 'taken' && (ended[i]?.ending?.retiredNext ?? null) !== null,
    );
    await this.ports.handOver?.forget(over);
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
