import { askStore } from '../../engine-parts/ask-store';
import { BatchGatherer } from '../../engine-parts/batch-gatherer';
import type { AllocateAnswer } from '../../ports/allocation-store.port';
import type {
  FastBindingRequest,
  FastRecordAnswer,
  FastRecordRow,
} from '../../ports/fast-epoch-store.port';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';

/**
 * What Postgres has to know or say before an allocation is answered, many by one statement: grants
 * that their holders may use without an intent, and what operations are bound to.
 */
export class RecordDesk {
  private readonly records: BatchGatherer<FastRecordRow, FastRecordAnswer>;
  private readonly bindings: BatchGatherer<FastBindingRequest, AllocateAnswer | null>;

  constructor(
    private readonly ports: PerformanceEnginePorts,
    private readonly options: PerformanceEngineOptions,
  ) {
    const limits = { maxWaiting: options.maxWaiting, batchesInFlight: 1 };
    const shape = { maxWeight: options.maxCommandBatch, oneFlightPerKey: false };
    this.records = new BatchGatherer(
      (calls) =>
        askStore(calls, {
          ...this.patience,
          statement: (rows) => ports.epochs.record(rows, options.quarantine),
          answered: answerEach,
        }),
      limits,
      {
        ...shape,
        keyOf: ({ grants: [first] }) => first?.submitter ?? '',
        weightOf: ({ grants }) => grants.length,
        maxWeightPerKey: options.maxPerSubmitter,
      },
    );
    this.bindings = new BatchGatherer(
      (calls) =>
        askStore(calls, {
          ...this.patience,
          statement: (requests) => ports.epochs.findBindings(requests),
          answered: answerEach,
        }),
      limits,
      {
        ...shape,
        keyOf: ({ submitter }) => submitter,
        weightOf: () => 1,
        maxWeightPerKey: options.maxPerSubmitter,
      },
    );
  }

  /** Waits until the grants are durable. */
  record(row: FastRecordRow): Promise<FastRecordAnswer> {
    return this.records.submit(row);
  }

  /** What an operation is bound to already; null when a nonce has to be granted. */
  bindingOf(request: FastBindingRequest): Promise<AllocateAnswer | null> {
    return this.bindings.submit(request);
  }

  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([this.records.stop(deadlineMs), this.bindings.stop(deadlineMs)]);
  }

  private get patience() {
    return { retry: this.options.retry, clock: this.ports.clock };
  }
}

function answerEach<Answer>(
  calls: readonly { resolve(answer: Answer): void }[],
  answers: readonly Answer[],
): void {
  calls.forEach((call, i) => {
    call.resolve(answers[i] as Answer);
  });
}
