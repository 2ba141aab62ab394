import type { Allocation } from '../../domain/allocation';
import { NonceError } from '../../domain/errors/nonce-error';
import { outpaced } from '../../domain/errors/outpaced';
import type { QuarantinePolicy } from '../../domain/quarantine-policy';
import type { Submitter } from '../../domain/submitter';
import type { AllocateAnswer, AllocationStore } from '../../ports/allocation-store.port';
import type { BaselineSource } from '../../ports/baseline.port';
import type { Clock } from '../../ports/clock.port';
import type { Grant } from '../../ports/engine.port';
import type { LockCoordinator } from '../../ports/lock.port';
import type { AllocateRequest } from '../../engine-parts/allocation-request';
import { askStore, type RetryPolicy } from '../../engine-parts/ask-store';
import { BatchGatherer, type GatherLimits } from '../../engine-parts/batch-gatherer';
import type { EngineObserver } from '../../engine-parts/engine-observer';
import { FlightLimit } from '../../engine-parts/flight-limit';
import { OperationFlights } from '../../engine-parts/operation-flights';
import { SubmitterOpener } from '../../engine-parts/submitter-opener';
import type { TakeOver } from '../../ports/take-over.port';
import {
  addTo,
  distinctSubmitters,
  isReplay,
  type AllocateCall,
  type Leftovers,
} from './leftovers';

type Gatherer = BatchGatherer<AllocateRequest, Grant>;

export interface AllocationDeskPorts {
  readonly store: AllocationStore;
  readonly baseline: BaselineSource;
  readonly locks: LockCoordinator;
  readonly clock: Clock;
  /** Absent where no other engine issues: then a submitter of one is refused. */
  readonly takeOver?: TakeOver;
}

export interface AllocationDeskOptions extends GatherLimits {
  /** Nonces one statement grants at most. */
  readonly maxBatch: number;
  /** Nonces one submitter is granted at most by one statement. */
  readonly maxPerSubmitter: number;
  /** Submitters contended by other nodes that may wait for their locks at the same time. */
  readonly maxLoneFlights: number;
  /** New submitters that may be looked up on their chains at the same time. */
  readonly maxOpenings: number;
  readonly retry: RetryPolicy;
  readonly quarantine: QuarantinePolicy;
  /** Window of submitters whose chain is not configured and that have no own setting. */
  readonly maxInFlight: number;
}

/**
 * Grants nonces to waiting callers, many by one statement. A submitter that is new, locked by
 * another node, or left to a fast engine until now, leaves the group: its calls go on alone, in
 * their order, and delay nobody else.
 */
export class AllocationDesk {
  private readonly gatherer: Gatherer;
  private readonly operations = new OperationFlights();
  private readonly opener: SubmitterOpener;
  private readonly loneFlights: FlightLimit;
  private readonly openings: FlightLimit;
  private readonly taken = new WeakSet<AllocateCall>();

  constructor(
    private readonly ports: AllocationDeskPorts,
    private readonly options: AllocationDeskOptions,
    private readonly observer: EngineObserver,
  ) {
    this.gatherer = new BatchGatherer((calls) => this.runGroup(calls), options, {
      keyOf: (request) => request.row.submitter,
      weightOf: (request) => request.row.ids.length,
      maxWeight: options.maxBatch,
      maxWeightPerKey: options.maxPerSubmitter,
      oneFlightPerKey: false,
    });
    this.opener = new SubmitterOpener(ports.baseline, ports.store);
    this.loneFlights = new FlightLimit(options.maxLoneFlights);
    this.openings = new FlightLimit(options.maxOpenings);
  }

  submit(request: AllocateRequest): Promise<Grant> {
    return this.operations.join(request, () => this.gatherer.submit(request));
  }

  stop(deadlineMs: number): Promise<void> {
    return this.gatherer.stop(deadlineMs);
  }

  private async runGroup(calls: readonly AllocateCall[]): Promise<void> {
    const submitters = distinctSubmitters(calls);
    this.observer.batch(calls.length);
    const leftovers = await this.ask(calls, submitters);
    if (leftovers.absent) this.flyAlone(leftovers.absent, this.opening);
    if (leftovers.contended) this.flyAlone(leftovers.contended, this.waiting);
    if (leftovers.foreign) this.flyAlone(leftovers.foreign, this.taking);
  }

  /** The lock only lowers contention between nodes; nobody waits for its release. */
  private async ask(
    calls: readonly AllocateCall[],
    submitters: readonly Submitter[],
  ): Promise<Leftovers> {
    const leftovers: Leftovers = {};
    const lock = await this.ports.locks.acquire(submitters);
    try {
      await askStore(calls, {
        statement: (requests, retry) =>
          this.ports.store.allocate({
            rows: requests.map((request) => request.row),
            maxInFlight: this.options.maxInFlight,
            quarantine: this.options.quarantine,
            skipLocked: submitters.length > 1,
            retry,
          }),
        retry: this.options.retry,
        clock: this.ports.clock,
        answered: (answered, answers) => this.answerAll(answered, answers, leftovers),
      });
    } finally {
      void lock.release();
    }
    return leftovers;
  }

  /** What a statement granted is reported at once: a metric per nonce would cost as much as it. */
  private answerAll(
    calls: readonly AllocateCall[],
    answers: readonly AllocateAnswer[],
    leftovers: Leftovers,
  ): void {
    const granted: Allocation[] = [];
    calls.forEach((call, i) => {
      const answer = answers[i] as AllocateAnswer;
      if (answer.kind === 'granted' && !isReplay(call, answer)) granted.push(...answer.allocations);
      this.answer(call, answer, leftovers);
    });
    this.observer.granted(granted);
  }

  private answer(call: AllocateCall, answer: AllocateAnswer, leftovers: Leftovers): void {
    switch (answer.kind) {
      case 'granted': {
        const { allocations, contiguous } = answer;
        const replayed = isReplay(call, answer);
        if (replayed) this.observer.replayed();
        call.resolve({ allocations, contiguous, replayed });
        return;
      }
      case 'refused':
        if (answer.code === 'NONCE_MODE_SWITCHING' && this.mayTake(call)) {
          addTo((leftovers.foreign ??= new Map()), call);
          return;
        }
        this.observer.refused(answer.code);
        call.reject(new NonceError(answer.code, { context: answer.context }));
        return;
      case 'absent':
        addTo((leftovers.absent ??= new Map()), call);
        return;
      case 'contended':
        addTo((leftovers.contended ??= new Map()), call);
        return;
    }
  }

  /** While a submitter flies alone its later calls wait, so that they keep their order. */
  private flyAlone(
    bySubmitter: ReadonlyMap<Submitter, AllocateCall[]>,
    fly: (calls: readonly AllocateCall[]) => Promise<void>,
  ): void {
    for (const [submitter, calls] of bySubmitter) {
      this.gatherer.hold(submitter);
      void fly(calls)
        .catch((error: unknown) => {
          for (const call of calls) call.reject(error);
        })
        .finally(() => {
          this.gatherer.release(submitter);
        });
    }
  }

  private readonly opening = (calls: readonly AllocateCall[]) =>
    this.openings.run(() => this.openThenAgain(calls));

  private readonly waiting = (calls: readonly AllocateCall[]) =>
    this.loneFlights.run(() => this.waitForLock(calls));

  private readonly taking = (calls: readonly AllocateCall[]) => this.takeThenAgain(calls);

  /** Once per call: who is given away again after that has another engine by the mode. */
  private mayTake(call: AllocateCall): boolean {
    if (this.ports.takeOver === undefined || this.taken.has(call)) return false;
    this.taken.add(call);
    return true;
  }

  private async takeThenAgain(calls: readonly AllocateCall[]): Promise<void> {
    const [first] = calls;
    if (first === undefined) return;
    const { submitter } = first.request.row;
    await this.ports.takeOver?.take(submitter);
    this.gatherer.again(submitter, calls);
  }

  private async openThenAgain(calls: readonly AllocateCall[]): Promise<void> {
    const [first] = calls;
    if (first === undefined) return;
    const { submitter } = first.request.row;
    await this.opener.open(submitter, first.request.startNonce);
    this.gatherer.again(submitter, calls);
  }

  private async waitForLock(calls: readonly AllocateCall[]): Promise<void> {
    const leftovers = await this.ask(calls, distinctSubmitters(calls));
    for (const late of leftovers.contended?.values() ?? []) {
      for (const call of late) call.reject(outpaced());
    }
    for (const late of leftovers.absent?.values() ?? []) await this.openThenAgain(late);
    for (const late of leftovers.foreign?.values() ?? []) await this.takeThenAgain(late);
  }
}
