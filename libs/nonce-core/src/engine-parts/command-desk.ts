import { NonceError } from '../domain/errors/nonce-error';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { AllocationStore, HolderAnswer, HolderRow } from '../ports/allocation-store.port';
import type { Clock } from '../ports/clock.port';
import type { CommandAnswer } from '../ports/engine.port';
import type { TransactionHandle } from '../ports/transaction.port';
import { askStore, type RetryPolicy } from './ask-store';
import { BatchGatherer, type GatheredCall, type GatherLimits } from './batch-gatherer';
import type { EngineObserver } from './engine-observer';

export interface CommandDeskPorts {
  readonly store: AllocationStore;
  readonly clock: Clock;
}

export interface CommandDeskOptions extends GatherLimits {
  /** Commands one statement applies at most. */
  readonly maxBatch: number;
  readonly retry: RetryPolicy;
  readonly quarantine: QuarantinePolicy;
}

/**
 * Applies what holders say, many commands by one statement. Two commands for the same allocation
 * never share a statement or overtake each other: the later one waits for the earlier one's end.
 */
export class CommandDesk {
  private readonly gatherer: BatchGatherer<HolderRow, CommandAnswer>;

  constructor(
    private readonly ports: CommandDeskPorts,
    private readonly options: CommandDeskOptions,
    private readonly observer: EngineObserver,
  ) {
    this.gatherer = new BatchGatherer((calls) => this.run(calls), options, {
      keyOf: (row) => row.id,
      weightOf: () => 1,
      maxWeight: options.maxBatch,
      maxWeightPerKey: 1,
      oneFlightPerKey: true,
    });
  }

  submit(row: HolderRow): Promise<CommandAnswer> {
    return this.gatherer.submit(row);
  }

  /**
   * Joins the caller's transaction: neither gathered nor retried, and not reported to listeners,
   * because only the caller learns whether it commits.
   */
  async submitWithin(handle: TransactionHandle, row: HolderRow): Promise<CommandAnswer> {
    const [answer] = await this.ports.store.command([row], this.options.quarantine, handle);
    if (answer === undefined) throw new NonceError('NONCE_INTERNAL');
    if (answer.kind === 'refused') throw refusalOf(row, answer);
    return { allocation: answer.allocation, changed: answer.changed };
  }

  stop(deadlineMs: number): Promise<void> {
    return this.gatherer.stop(deadlineMs);
  }

  private run(calls: readonly GatheredCall<HolderRow, CommandAnswer>[]): Promise<void> {
    return askStore(calls, {
      statement: (rows) => this.ports.store.command(rows, this.options.quarantine),
      retry: this.options.retry,
      clock: this.ports.clock,
      answered: (answered, answers) => {
        answered.forEach((call, i) => this.answer(call, answers[i] as HolderAnswer));
      },
    });
  }

  private answer(call: GatheredCall<HolderRow, CommandAnswer>, answer: HolderAnswer): void {
    if (answer.kind === 'refused') {
      call.reject(refusalOf(call.request, answer));
      return;
    }
    const { allocation, changed } = answer;
    if (changed) this.observer.commanded(call.request.command, allocation, answer.from);
    call.resolve({ allocation, changed });
  }
}

function refusalOf(row: HolderRow, answer: Extract<HolderAnswer, { kind: 'refused' }>): NonceError {
  const context = { command: row.command, allocationId: row.id };
  if (answer.allocation === null) return new NonceError(answer.code, { context });
  const { nonce, stage, txHash } = answer.allocation;
  return new NonceError(answer.code, { context: { ...context, nonce, stage, txHash } });
}
