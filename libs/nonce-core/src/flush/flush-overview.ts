import { isNonceError, NonceError } from '../domain/errors/nonce-error';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { FastStatus } from '../ports/fast-store.port';
import type { FlushReport, FlushReports } from '../ports/flush-report.port';
import type {
  DeadLetter,
  DeadLetterStore,
  EventQueue,
  FlushStore,
} from '../ports/flush-store.port';

export interface FlushOverviewPorts {
  /** null without a fast store: then nothing is queued. */
  readonly queue: Pick<EventQueue, 'backlog'> | null;
  readonly store: Pick<FlushStore, 'apply'>;
  readonly letters: DeadLetterStore;
  readonly reports: Pick<FlushReports, 'read'>;
}

interface QueueStatus {
  /** Shards of which something waits. */
  readonly shards: readonly FastStatus[];
  readonly queued: number;
  readonly oldestEventAgeMs: number | null;
}

interface FlushRecord extends FlushReport {
  readonly deadLetters: number;
}

export type FlushStatus = QueueStatus & FlushRecord;

/** What operators see of the way from a fast store to Postgres, and what they can do about it. */
export class FlushOverview {
  private readonly shards: readonly number[];

  constructor(
    private readonly ports: FlushOverviewPorts,
    private readonly quarantine: QuarantinePolicy,
    shards: number,
  ) {
    this.shards = Array.from({ length: shards }, (_, shard) => shard);
  }

  /** @throws NonceError NONCE_STORE_UNAVAILABLE when a store does not answer. */
  async status(): Promise<FlushStatus> {
    const [queue, record] = await Promise.all([this.queue(), this.record()]);
    return { ...queue, ...record };
  }

  /** What waits in the fast store. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async queue(): Promise<QueueStatus> {
    const backlog = (await this.ports.queue?.backlog(this.shards)) ?? [];
    const shards = backlog.filter(({ streamLength }) => streamLength > 0);
    const ages = shards.flatMap(({ oldestEventAgeMs }) => oldestEventAgeMs ?? []);
    return {
      shards,
      queued: shards.reduce((sum, { streamLength }) => sum + streamLength, 0),
      oldestEventAgeMs: ages.length === 0 ? null : Math.max(...ages),
    };
  }

  /** How it went so far, from Postgres. @throws NonceError NONCE_STORE_UNAVAILABLE. */
  async record(): Promise<FlushRecord> {
    const { letters, reports } = this.ports;
    const [deadLetters, report] = await Promise.all([letters.count(), reports.read()]);
    return { deadLetters, ...report };
  }

  /** Open ones, oldest first, after the one with this id. */
  deadLetters(page: { after: string | null; limit: number }): Promise<readonly DeadLetter[]> {
    return this.ports.letters.list(page);
  }

  /** null when there is none of this id. */
  findDeadLetter(id: string): Promise<DeadLetter | null> {
    return this.ports.letters.find(id);
  }

  /**
   * Applies the event once more, and takes the letter off the list when that works.
   * @throws NonceError NONCE_PRECONDITION when it cannot be applied still, or never be read.
   */
  async retry(letter: DeadLetter): Promise<void> {
    const { letters, store } = this.ports;
    const event = letters.eventOf(letter);
    if (event === null) {
      throw refusal(letter, 'its text is no event: settle its nonce by hand');
    }
    try {
      await store.apply([event], this.quarantine);
    } catch (error) {
      if (isNonceError(error, 'NONCE_STORE_UNAVAILABLE')) throw error;
      throw refusal(letter, error instanceof Error ? error.message : String(error));
    }
    await letters.resolve(letter.id);
  }
}

function refusal({ id, nonce, submitter }: DeadLetter, reason: string): NonceError {
  return new NonceError('NONCE_PRECONDITION', {
    message: `The event still cannot be applied: ${reason}`,
    context: { deadLetterId: id, submitter, nonce },
  });
}
