import { isNonceError } from '../domain/errors/nonce-error';
import type { FlushEvent } from '../ports/fast-store.port';
import type { QueuedEvent } from '../ports/flush-store.port';
import type { FlushDeps, FlushSettings } from './flush-deps';

interface FailedEvent {
  readonly event: QueuedEvent;
  readonly reason: string;
}

export interface BatchOutcome {
  /** Durable: to be acknowledged. */
  readonly applied: QueuedEvent[];
  /** Refused one by one, for what they are. */
  readonly failed: FailedEvent[];
  /** The store did not answer: nothing is known of the rest, which comes again. */
  readonly unavailable: Error | null;
}

interface Readable {
  readonly delivery: QueuedEvent;
  readonly event: FlushEvent;
}

/**
 * Applies deliveries in one transaction. When that fails for what they are, in two halves, and so
 * on, so that one bad event fails alone and the others are not kept waiting (H-18).
 */
export async function applyBatch(
  { store }: Pick<FlushDeps, 'store'>,
  { quarantine }: Pick<FlushSettings, 'quarantine'>,
  deliveries: readonly QueuedEvent[],
): Promise<BatchOutcome> {
  const applied: QueuedEvent[] = [];
  const failed: FailedEvent[] = [];
  const readable: Readable[] = [];
  for (const delivery of deliveries) {
    const { event } = delivery;
    if (event === null) failed.push({ event: delivery, reason: 'the entry is no readable event' });
    else readable.push({ delivery, event });
  }
  try {
    await applyPart(readable);
    return { applied, failed, unavailable: null };
  } catch (error) {
    return { applied, failed, unavailable: error as Error };
  }

  async function applyPart(part: readonly Readable[]): Promise<void> {
    const [first, second] = part;
    if (first === undefined) return;
    try {
      await store.apply(
        part.map(({ event }) => event),
        quarantine,
      );
      applied.push(...part.map(({ delivery }) => delivery));
    } catch (error) {
      if (isOutage(error)) throw error;
      if (second === undefined) {
        failed.push({ event: first.delivery, reason: reasonOf(error) });
        return;
      }
      const half = part.length >>> 1;
      await applyPart(part.slice(0, half));
      await applyPart(part.slice(half));
    }
  }
}

/** Says nothing about the events: the same ones may succeed later. */
function isOutage(error: unknown): boolean {
  return (
    isNonceError(error, 'NONCE_STORE_UNAVAILABLE') || isNonceError(error, 'NONCE_RECOVERY_HOLD')
  );
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
