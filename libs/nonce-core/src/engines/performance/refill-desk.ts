import { submitterParts, type Submitter } from '../../domain/submitter';
import { BatchGatherer, type GatheredCall } from '../../engine-parts/batch-gatherer';
import { OldestFirst } from '../../engine-parts/oldest-first';
import type {
  FastEpoch,
  FastEpochAnswer,
  FastRefillRequest,
} from '../../ports/fast-epoch-store.port';
import type { FastView } from '../../ports/fast-store.port';
import type { PerformanceEngineOptions, PrefetchOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import { nextPrefetchSize } from './prefetch-size';
import type { ViewCache } from './view-cache';

interface RefillAsk {
  readonly view: FastView;
  readonly ceilingSeen: number;
  readonly raise: number;
}

type RefillCall = GatheredCall<RefillAsk, RefillEnd>;

/** One call in a round of asking; `epoch` and `loanSeen` from the round before. */
interface Asking {
  readonly call: RefillCall;
  readonly epoch?: FastEpoch;
  readonly loanSeen?: number;
}

/** Rounds in which others may be faster with their loans. */
const MAX_LOANS_MISSED = 3;

/** `full`: the window or the largest nonce allows no more. `gone`: another epoch has to be entered. */
export type RefillEnd =
  | { readonly kind: 'refilled'; readonly ceiling: number }
  | { readonly kind: 'full'; readonly ceiling: number }
  | { readonly kind: 'gone' };

interface LastRaise {
  readonly size: number;
  readonly atMs: number;
  /** No background refill before this: the last one could not raise anything. */
  readonly quietUntilMs: number;
}

/** A background refill that raised nothing is not worth another one at every grant. */
const QUIET_MS = 1_000;

/** Raises ceilings and hands free nonces and limits to the fast store, once per submitter at a time. */
export class RefillDesk {
  private readonly gatherer: BatchGatherer<RefillAsk, RefillEnd>;
  private readonly raising = new Map<Submitter, Promise<RefillEnd>>();
  private readonly last = new Map<Submitter, LastRaise>();
  private readonly oldest = new OldestFirst(this.last);
  private prefetch: PrefetchOptions;
  private exhaustedCount = 0;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly options: PerformanceEngineOptions,
    private readonly views: ViewCache,
  ) {
    this.prefetch = options.prefetch;
    const limits = { maxWaiting: options.maxWaiting, batchesInFlight: options.entrancesInFlight };
    this.gatherer = new BatchGatherer((calls) => this.run(calls), limits, {
      keyOf: (ask) => ask.view.submitter,
      weightOf: () => 1,
      maxWeight: options.maxEntering,
      maxWeightPerKey: 1,
      oneFlightPerKey: true,
    });
  }

  get prefetched(): PrefetchOptions {
    return this.prefetch;
  }

  /** How often a caller had to wait for a refill. */
  get exhaustions(): number {
    return this.exhaustedCount;
  }

  /** Takes effect with the next refill. */
  tune(prefetch: PrefetchOptions): void {
    this.prefetch = prefetch;
  }

  /** A caller waits for `wanted` nonces; joins a refill that is on its way. */
  exhausted(view: FastView, ceilingSeen: number, wanted: number): Promise<RefillEnd> {
    this.exhaustedCount += 1;
    this.ports.metrics.count('nonce_prefetch_exhausted_total', {});
    return this.raise(view, ceilingSeen, wanted);
  }

  /** Fetches ahead when few are left; nobody waits for it, and what fails is met by a caller. */
  ahead(view: FastView, ceilingSeen: number, fresh: number): void {
    if (fresh >= this.prefetch.lowWater || this.raising.has(view.submitter)) return;
    const quietUntilMs = this.last.get(view.submitter)?.quietUntilMs ?? 0;
    if (this.ports.clock.monotonicMs() < quietUntilMs) return;
    this.raise(view, ceilingSeen, 0).catch((error: unknown) => {
      this.ports.logger.debug('nonces could not be fetched ahead', {
        submitter: view.submitter,
        reason: String(error),
      });
    });
  }

  /** Limits as they are now, and free nonces; raises nothing. */
  refresh(view: FastView): Promise<RefillEnd> {
    return this.gatherer.submit({ view, ceilingSeen: 0, raise: 0 });
  }

  stop(deadlineMs: number): Promise<void> {
    return this.gatherer.stop(deadlineMs);
  }

  private raise(view: FastView, ceilingSeen: number, wanted: number): Promise<RefillEnd> {
    const { submitter } = view;
    const running = this.raising.get(submitter);
    if (running !== undefined) return running;
    const size = this.nextSize(submitter);
    const raising = this.gatherer
      .submit({ view, ceilingSeen, raise: Math.max(size, wanted) })
      .then((end) => {
        this.remember(submitter, size, end.kind === 'full');
        return end;
      })
      .finally(() => this.raising.delete(submitter));
    this.raising.set(submitter, raising);
    return raising;
  }

  private nextSize(submitter: Submitter): number {
    const last = this.last.get(submitter);
    if (last === undefined) return nextPrefetchSize(null, this.prefetch);
    const lastedMs = this.ports.clock.monotonicMs() - last.atMs;
    return nextPrefetchSize({ size: last.size, lastedMs }, this.prefetch);
  }

  private remember(submitter: Submitter, size: number, full: boolean): void {
    const atMs = this.ports.clock.monotonicMs();
    this.last.delete(submitter);
    this.last.set(submitter, { size, atMs, quietUntilMs: full ? atMs + QUIET_MS : 0 });
    if (this.last.size <= this.options.maxViews) return;
    const oldest = this.oldest.take();
    if (oldest !== undefined) this.last.delete(oldest);
  }

  private async run(calls: readonly RefillCall[]): Promise<void> {
    let asking: readonly Asking[] = calls.map((call) => ({ call }));
    for (let round = 0; asking.length > 0; round += 1) {
      const behind = await this.ask(asking);
      asking = round < MAX_LOANS_MISSED ? behind : [];
      // Ceiling and limits have arrived; free nonces wait for the next refill of whoever it is.
      for (const { call, epoch } of behind) {
        if (asking.length === 0 && epoch !== undefined) this.refilled(call, epoch);
      }
    }
  }

  /** Returns those to whose store another loan of free nonces came last, with that loan. */
  private async ask(asking: readonly Asking[]): Promise<readonly Asking[]> {
    const answers = await this.ports.epochs.refill(
      asking.map((each) => this.requestOf(each)),
      this.options.intents,
    );
    const ruling: { call: RefillCall; epoch: FastEpoch }[] = [];
    asking.forEach(({ call }, i) => {
      const answer = answers[i] as FastEpochAnswer;
      if (answer.kind === 'epoch') ruling.push({ call, epoch: answer.epoch });
      else this.gone(call);
    });
    if (ruling.length === 0) return [];
    const epochs = ruling.map(({ epoch }) => epoch);
    await this.keepWitnesses(epochs);
    const pushed = await this.ports.fast
      .refill(epochs)
      .catch((error: unknown) => epochs.map(() => error as Error));
    return ruling.flatMap(({ call, epoch }, i) => {
      const answer = pushed[i];
      if (typeof answer === 'object' && 'loan' in answer) {
        return { call, epoch, loanSeen: answer.loan };
      }
      if (answer === 'refilled') this.refilled(call, epoch);
      else this.gone(call);
      return [];
    });
  }

  private requestOf({ call: { request }, loanSeen }: Asking): FastRefillRequest {
    return {
      ...request,
      defaultWindow: this.windowOf(request.view.submitter),
      ...(loanSeen === undefined ? {} : { loanSeen }),
    };
  }

  private async keepWitnesses(epochs: readonly FastEpoch[]): Promise<void> {
    const raised = epochs.filter((epoch) => this.views.raises(epoch));
    if (raised.length === 0) return;
    await this.ports.continuity.keep(
      raised.map(({ view: { submitter, epoch }, ceiling }) => ({ submitter, epoch, ceiling })),
    );
  }

  private refilled(call: RefillCall, epoch: FastEpoch): void {
    const { ceiling, free, moreFree } = epoch;
    if (this.views.get(epoch.view.submitter)?.epoch === epoch.view.epoch) {
      this.views.learn(epoch, this.ports.clock.monotonicMs());
    }
    const more = ceiling > call.request.ceilingSeen || free.length > 0 || moreFree;
    call.resolve({ kind: more ? 'refilled' : 'full', ceiling });
  }

  /** Refused, lost or of another epoch: in each case this one is not to be used again. */
  private gone(call: RefillCall): void {
    this.views.burn(call.request.view);
    call.resolve({ kind: 'gone' });
  }

  private windowOf(submitter: Submitter): number {
    const chain = this.ports.chains.find(submitterParts(submitter).chainId);
    return chain?.profile.maxInFlight ?? this.options.maxInFlight;
  }
}
