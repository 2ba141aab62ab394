import { NonceError } from '../../domain/errors/nonce-error';
import type { Submitter } from '../../domain/submitter';
import type { AllocateRequest } from '../../engine-parts/allocation-request';
import { BatchGatherer } from '../../engine-parts/batch-gatherer';
import type { EngineObserver } from '../../engine-parts/engine-observer';
import { outpaced } from '../../domain/errors/outpaced';
import { OperationFlights } from '../../engine-parts/operation-flights';
import type { Grant } from '../../ports/engine.port';
import type { FastAllocateAnswer, FastView } from '../../ports/fast-store.port';
import { askFastStore } from './ask-fast-store';
import { Detour } from './detour';
import type { EpochEntrance } from './epoch-entrance';
import { afterFence, renewTokens, toFastRequest, type FastRequest } from './fast-request';
import type { GrantCache } from './grant-cache';
import type { Granted, GrantRecorder } from './grant-recorder';
import { Leftovers, type AllocateCall, type Leftover } from './leftovers';
import { OpeningPatience } from './opening-patience';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import type { RecordDesk } from './record-desk';
import type { RefillDesk } from './refill-desk';
import type { ViewCache } from './view-cache';

type Gatherer = BatchGatherer<FastRequest, Grant>;

/** One row of a script run on its way to its answer. */
interface Asked {
  readonly call: AllocateCall;
  readonly view: FastView;
  readonly startedAtMs: number;
}

export interface FastAllocationParts {
  readonly views: ViewCache;
  readonly grants: GrantCache;
  readonly entrance: EpochEntrance;
  readonly refills: RefillDesk;
  readonly records: RecordDesk;
  readonly recorder: GrantRecorder;
}

/** A call leaves its batch for a new epoch or a refill; contention with other nodes repeats that. */
const MAX_RETURNS = 64;
const FENCE_BACKOFF_MS = 5;

/**
 * Grants nonces out of the fast store, one script run per shard for everybody who waits. What a run
 * could not grant leaves the batch: its submitter gets what it lacks, its calls go first after that,
 * and nobody else is delayed.
 */
export class FastAllocationDesk {
  private readonly shards = new Map<number, Gatherer>();
  private readonly operations = new OperationFlights();
  private readonly patience: OpeningPatience;
  private readonly detour: Detour;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly options: PerformanceEngineOptions,
    private readonly parts: FastAllocationParts,
    private readonly observer: EngineObserver,
  ) {
    this.patience = new OpeningPatience(ports.clock, options.openingWaitMs);
    const entitled = (submitter: Submitter) => this.refuseUnlessEntitled(submitter);
    this.detour = new Detour({ ...parts, patience: this.patience, entitled });
  }

  submit(request: AllocateRequest): Promise<Grant> {
    return this.operations.join(request, () => this.begin(request));
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([...this.shards.values()].map((gatherer) => gatherer.stop(deadlineMs)));
  }

  /** Postgres alone remembers operations for as long as their callers may come back. */
  private async begin(request: AllocateRequest): Promise<Grant> {
    const { submitter, operationId, requestHash, ids, exposure } = request.row;
    if (operationId !== null) {
      const count = ids.length;
      const wish = { submitter, operationId, requestHash, count, exposure };
      const bound = await this.parts.records.bindingOf(wish);
      if (bound?.kind === 'refused') throw this.refusal(bound);
      if (bound?.kind === 'granted') {
        this.observer.replayed();
        return { ...bound, replayed: true };
      }
    }
    return this.shardOf(submitter).submit(toFastRequest(request));
  }

  private shardOf(submitter: Submitter): Gatherer {
    const shard = this.ports.fast.shardOf(submitter);
    let gatherer = this.shards.get(shard);
    if (gatherer === undefined) {
      const { maxBatch, maxPerSubmitter } = this.options;
      const made: Gatherer = new BatchGatherer(
        (calls) => this.run(made, calls),
        { ...this.options, maxReturns: MAX_RETURNS },
        {
          keyOf: (request) => request.row.submitter,
          weightOf: (request) => request.row.ids.length,
          maxWeight: maxBatch,
          maxWeightPerKey: maxPerSubmitter,
          oneFlightPerKey: false,
        },
      );
      gatherer = made;
      this.shards.set(shard, gatherer);
    }
    return gatherer;
  }

  private async run(gatherer: Gatherer, calls: readonly AllocateCall[]): Promise<void> {
    const startedAtMs = this.ports.clock.monotonicMs();
    const asked: Asked[] = [];
    const leftovers = new Leftovers();
    for (const call of calls) {
      const { submitter } = call.request.row;
      const view = this.parts.views.use(submitter, startedAtMs);
      if (view === undefined) leftovers.add(call, undefined, 'epoch');
      else asked.push({ call, view, startedAtMs });
    }
    if (asked.length > 0) this.observer.batch(asked.length);
    const answers = await askFastStore(
      this.ports.fast,
      asked.map(({ call: { request }, view }) => ({ ...request.row, view })),
    );
    asked.forEach((each, i) => {
      const answer = answers[i] as FastAllocateAnswer | Error;
      const { call, view } = each;
      if (answer instanceof Error) call.reject(answer);
      else if (answer.kind === 'granted') this.granted(each, answer);
      else if (isFinalRefusal(call, answer)) call.reject(this.refusal(answer));
      else {
        if (answer.kind === 'stale' || hasEnded(answer)) renewTokens(call.request);
        leftovers.add(call, view, answer);
      }
    });
    for (const leftover of leftovers.all) this.makeDetour(gatherer, leftover);
  }

  private granted(asked: Asked, answer: Granted): void {
    const { call, view } = asked;
    const { fresh, free, grants, replayed } = answer;
    const last = grants.at(-1);
    this.patience.ended(view.submitter);
    this.ports.metrics.set('nonce_pool_level', {}, fresh + free);
    if (last?.source === 'fresh' && !replayed) {
      this.parts.refills.ahead(view, last.nonce + 1 + fresh, fresh);
    }
    const { recorder } = this.parts;
    if (recorder.needsRecord(answer)) void this.record(asked, answer);
    else this.answer(asked, recorder.answer(call.request, answer), answer);
  }

  private async record(asked: Asked, answer: Granted): Promise<void> {
    const { call, view } = asked;
    const { request } = call;
    try {
      const grant = await this.parts.recorder.record(request, view, answer);
      if (grant !== 'fenced') {
        this.answer(asked, grant, answer);
        return;
      }
      if (request.fenced >= this.options.maxFenced) {
        throw outpaced();
      }
      await this.ports.clock.sleep(FENCE_BACKOFF_MS * 2 ** request.fenced);
      call.resolve(await this.shardOf(view.submitter).submit(afterFence(request)));
    } catch (error) {
      call.reject(error);
    }
  }

  private answer({ call, startedAtMs }: Asked, grant: Grant, { grants }: Granted): void {
    const expiresAtMs = startedAtMs + call.request.row.ttlMs;
    const answered = new Set(grant.allocations.map(({ id }) => id));
    for (const each of grants) {
      if (answered.has(each.id)) this.parts.grants.add(each, expiresAtMs);
    }
    if (grant.replayed) this.observer.replayed();
    else this.observer.granted(grant.allocations);
    call.resolve(grant);
  }

  /** While a submitter gets what it lacks its later calls wait, so that they keep their order. */
  private makeDetour(gatherer: Gatherer, leftover: Leftover): void {
    const { submitter, calls } = leftover;
    gatherer.hold(submitter);
    void this.detour
      .provide(leftover)
      .then(() => {
        gatherer.again(submitter, calls);
      })
      .catch((error: unknown) => {
        for (const call of calls) call.reject(error);
      })
      .finally(() => {
        gatherer.release(submitter);
      });
  }

  private async refuseUnlessEntitled(submitter: Submitter): Promise<void> {
    const { mode } = this.ports;
    await mode.refresh();
    if (mode.engineFor(submitter) !== 'performance') throw new NonceError('NONCE_MODE_SWITCHING');
  }

  private refusal({ code, context }: Pick<Refused, 'code' | 'context'>): NonceError {
    this.observer.refused(code);
    return new NonceError(code, { context });
  }
}

type Refused = Extract<FastAllocateAnswer, { kind: 'refused' }>;

/** Refusals by limits that Postgres may have changed are asked about once; ended tokens are renewed. */
function isFinalRefusal(
  { request }: AllocateCall,
  answer: Exclude<FastAllocateAnswer, { kind: 'granted' }>,
): answer is Refused {
  if (answer.kind !== 'refused' || hasEnded(answer)) return false;
  const byLimits = answer.code === 'NONCE_IN_FLIGHT_LIMIT' || answer.code === 'NONCE_PAUSED';
  return !byLimits || request.limitsAsked;
}

/** Granted in an answer that was lost, and over before it was asked for again. */
function hasEnded(answer: FastAllocateAnswer): boolean {
  return answer.kind === 'refused' && answer.code === 'NONCE_ALLOCATION_CLOSED';
}
