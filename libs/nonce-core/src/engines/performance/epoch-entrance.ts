import { NonceError } from '../../domain/errors/nonce-error';
import type { Nonce } from '../../domain/nonce';
import { submitterParts, type Submitter } from '../../domain/submitter';
import { outpaced } from '../../domain/errors/outpaced';
import { FlightLimit } from '../../engine-parts/flight-limit';
import { SubmitterOpener } from '../../engine-parts/submitter-opener';
import type { FastEpoch, FastEpochAnswer } from '../../ports/fast-epoch-store.port';
import type { FastView, Incarnation } from '../../ports/fast-store.port';
import { BadEpochs } from './bad-epochs';
import { BumpPace } from './bump-pace';
import { EntranceQueue, Entry } from './entrance-queue';
import { nothingGranted } from './nothing-granted';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import type { RefillDesk } from './refill-desk';
import type { ViewCache } from './view-cache';

interface Won {
  readonly entry: Entry;
  readonly epoch: FastEpoch;
}

interface Asked {
  readonly entry: Entry;
  readonly incarnation: Incarnation;
}

/**
 * Finds a usable epoch for submitters that have none: many by one statement, a few statements at a
 * time, the submitters with the most callers first, so that the loss of a fast store is no storm.
 *
 * The one order that is safe: Postgres gives the epoch, a witness of its ceiling is kept, and only
 * then the fast store is told, once. What goes wrong after the first step burns the epoch.
 */
export class EpochEntrance {
  private readonly entries = new Map<Submitter, Entry>();
  private readonly queue = new EntranceQueue();
  private readonly opener: SubmitterOpener;
  private readonly openings: FlightLimit;
  private readonly badEpochs: BadEpochs;
  private readonly pace: BumpPace;
  private groups = 0;
  private turnPlanned = false;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly options: PerformanceEngineOptions,
    private readonly parts: { readonly views: ViewCache; readonly refills: RefillDesk },
  ) {
    this.opener = new SubmitterOpener(ports.baseline, ports.store);
    this.openings = new FlightLimit(options.maxOpenings);
    this.badEpochs = new BadEpochs(ports, parts.views);
    this.pace = new BumpPace(ports.clock, options.bumpsPerSecond);
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE, or what finding a new submitter's start throws. */
  enter(submitter: Submitter, callers: number, startNonce?: Nonce): Promise<FastView> {
    let entry = this.entries.get(submitter);
    if (entry === undefined) {
      entry = new Entry(submitter, startNonce);
      this.entries.set(submitter, entry);
      this.enqueue(entry);
    }
    entry.callers += callers;
    return entry.entered;
  }

  private enqueue(entry: Entry): void {
    entry.tries += 1;
    if (entry.tries > this.options.maxEntries) {
      this.fail(entry, outpaced());
      return;
    }
    this.queue.add(entry);
    this.planTurn();
  }

  /** One event-loop turn later, so that submitters asked for together share a statement. */
  private planTurn(): void {
    if (this.turnPlanned || this.groups >= this.options.entrancesInFlight) return;
    if (this.queue.isEmpty) return;
    this.turnPlanned = true;
    setImmediate(() => {
      const group = this.queue.take(this.options.maxEntering);
      this.groups += 1;
      void this.enterGroup(group)
        .catch((error: unknown) => {
          for (const entry of group) this.fail(entry, nothingGranted(error));
        })
        .finally(() => {
          this.groups -= 1;
          this.planTurn();
        });
      void this.endTurn(group);
    });
  }

  /** Those that wait are sorted again after the delay: it is the least wanted that wait longest. */
  private async endTurn(group: readonly Entry[]): Promise<void> {
    const bumps = group.filter(({ submitter }) => this.parts.views.badOf(submitter) !== null);
    const delayMs = this.pace.spend(bumps.length);
    if (delayMs > 0) {
      if (!this.queue.isEmpty) this.ports.metrics.count('nonce_epoch_delays_total', {});
      await this.ports.clock.sleep(delayMs);
    }
    this.turnPlanned = false;
    this.planTurn();
  }

  private async enterGroup(group: readonly Entry[]): Promise<void> {
    const asked = await this.withIncarnations(group);
    if (asked.length === 0) return;
    await this.badEpochs.end(
      asked.map(({ entry, incarnation }) => ({ submitter: entry.submitter, incarnation })),
    );
    const modeEpoch = this.ports.mode.current().epoch;
    const answers = await this.ports.epochs.enter(
      asked.map(({ entry, incarnation }) => this.requestOf(entry.submitter, incarnation)),
      this.options.intents,
      modeEpoch,
    );
    const ruling: Won[] = [];
    asked.forEach(({ entry }, i) => {
      const answer = answers[i] as FastEpochAnswer;
      if (answer.kind === 'epoch') ruling.push({ entry, epoch: answer.epoch });
      else if (answer.kind === 'absent') this.open(entry);
      else if (answer.kind === 'stale') this.enqueue(entry);
    });
    await this.routeAgain(asked.flatMap(({ entry }, i) => (isOfMode(answers[i]) ? entry : [])));
    await this.keepWitnesses(ruling.map(({ epoch }) => epoch));
    const joined = ruling.filter(({ epoch }) => !epoch.won);
    for (const { entry, epoch } of joined) this.entered(entry, epoch, 'joined');
    await this.openWon(
      ruling.filter(({ epoch }) => epoch.won),
      modeEpoch,
    );
  }

  private async withIncarnations(group: readonly Entry[]): Promise<readonly Asked[]> {
    const { fast } = this.ports;
    const byShard = new Map<number, Promise<Incarnation>>();
    const asked = group.map(async (entry): Promise<Asked | undefined> => {
      const shard = fast.shardOf(entry.submitter);
      const incarnation = byShard.get(shard) ?? fast.incarnationOf(entry.submitter);
      byShard.set(shard, incarnation);
      try {
        return { entry, incarnation: await incarnation };
      } catch (error) {
        this.fail(entry, nothingGranted(error));
        return undefined;
      }
    });
    return (await Promise.all(asked)).filter((each) => each !== undefined);
  }

  private requestOf(submitter: Submitter, incarnation: Incarnation) {
    const badEpoch = this.parts.views.badOf(submitter)?.epoch ?? null;
    const chain = this.ports.chains.find(submitterParts(submitter).chainId);
    return {
      submitter,
      incarnation,
      badEpoch,
      raise: this.parts.refills.prefetched.size,
      defaultWindow: chain?.profile.maxInFlight ?? this.options.maxInFlight,
      reason: badEpoch === null ? 'first use' : 'the fast store could not serve the last epoch',
    };
  }

  /** Epochs that were won and have no witness are never opened, and so never used. */
  private async keepWitnesses(epochs: readonly FastEpoch[]): Promise<void> {
    const raised = epochs.filter((epoch) => this.parts.views.raises(epoch));
    if (raised.length === 0) return;
    try {
      await this.ports.continuity.keep(
        raised.map(({ view: { submitter, epoch }, ceiling }) => ({ submitter, epoch, ceiling })),
      );
    } catch (error) {
      for (const { won, view } of epochs) if (won) this.burn(view);
      throw error;
    }
  }

  private async openWon(won: readonly Won[], modeEpoch: number): Promise<void> {
    if (won.length === 0) return;
    const openings = won.map(({ epoch }) => ({ ...openingOf(epoch), modeEpoch }));
    const opened = await this.ports.fast
      .open(openings)
      .catch((error: unknown) => openings.map(() => error as Error));
    const unopened: Entry[] = [];
    won.forEach(({ entry, epoch }, i) => {
      if (opened[i] === 'opened') {
        this.entered(entry, epoch, 'won');
        return;
      }
      this.burn(epoch.view);
      unopened.push(entry);
    });
    await this.routeAgain(unopened);
  }

  /** The mode may have changed on the way: who is not served from here any more is told so. */
  private async routeAgain(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.ports.mode.refresh();
    for (const entry of entries) {
      if (this.ports.mode.engineFor(entry.submitter) === 'performance') this.enqueue(entry);
      else this.fail(entry, new NonceError('NONCE_MODE_SWITCHING'));
    }
  }

  private open(entry: Entry): void {
    const opening = this.openings.run(() => this.opener.open(entry.submitter, entry.startNonce));
    void opening.then(
      () => {
        this.enqueue(entry);
      },
      (error: unknown) => {
        this.fail(entry, error);
      },
    );
  }

  private burn(view: FastView): void {
    this.parts.views.burn(view);
    this.ports.metrics.count('nonce_epochs_total', { engine: 'performance', result: 'burnt' });
  }

  private entered(entry: Entry, epoch: FastEpoch, result: 'won' | 'joined'): void {
    this.parts.views.learn(epoch, this.ports.clock.monotonicMs());
    this.ports.metrics.count('nonce_epochs_total', { engine: 'performance', result });
    this.entries.delete(entry.submitter);
    entry.resolve(epoch.view);
  }

  private fail(entry: Entry, error: unknown): void {
    if (this.entries.get(entry.submitter) === entry) this.entries.delete(entry.submitter);
    entry.reject(error);
  }
}

function isOfMode(answer: FastEpochAnswer | undefined): boolean {
  return answer?.kind === 'mode';
}

function openingOf({ view, base, ceiling, limits, free, moreFree, loan }: FastEpoch) {
  return { view, base, ceiling, limits, free, moreFree, loan };
}
