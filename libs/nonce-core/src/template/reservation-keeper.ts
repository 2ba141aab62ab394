import type { Allocation } from '../domain/allocation';
import { isNonceError, type NonceError } from '../domain/errors/nonce-error';
import type { Clock } from '../ports/clock.port';
import type { NonceEngine } from '../ports/engine.port';
import type { Logger } from '../ports/logger.port';

/** Two beats may get lost before the deadline passes. */
const BEATS_PER_TTL = 3;

export interface KeeperPorts {
  readonly engine: Pick<NonceEngine, 'heartbeat'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps one reservation alive while its handler runs, until `stop` or the first intent. */
export class ReservationKeeper {
  private readonly stopped = new AbortController();

  constructor(
    private readonly ports: KeeperPorts,
    private readonly allocation: Allocation,
    private readonly ttlMs: number,
    private readonly lost: (reason: NonceError) => void,
  ) {}

  start(): void {
    void this.run();
  }

  stop(): void {
    this.stopped.abort();
  }

  /** @throws NonceError NONCE_FENCED, NONCE_ALLOCATION_CLOSED, NONCE_STORE_UNAVAILABLE. */
  async beat(): Promise<void> {
    try {
      await this.ports.engine.heartbeat(this.allocation, { ttlMs: this.ttlMs });
    } catch (error) {
      if (isNonceError(error) && !this.stopped.signal.aborted && endsReservation(error)) {
        this.stop();
        this.lost(error);
      }
      throw error;
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stopped;
    for (;;) {
      await this.ports.clock.sleep(this.ttlMs / BEATS_PER_TTL, signal);
      if (signal.aborted) return;
      try {
        await this.beat();
      } catch (error) {
        const { nonce, submitter } = this.allocation;
        this.ports.logger.warn('a heartbeat failed', {
          submitter,
          nonce,
          reason: isNonceError(error) ? error.code : String(error),
        });
      }
    }
  }
}

/**
 * An exposed or settled nonce needs no heartbeat and is refused one as closed, which is no loss:
 * the handler may have settled it by itself.
 */
function endsReservation(error: NonceError): boolean {
  if (error.code === 'NONCE_FENCED' || error.code === 'NONCE_ALLOCATION_UNKNOWN') return true;
  const stage = error.context['stage'];
  return error.code === 'NONCE_ALLOCATION_CLOSED' && stage !== undefined && isTakenAway(stage);
}

function isTakenAway(stage: unknown): boolean {
  return stage === 'QUARANTINED' || stage === 'REUSABLE' || stage === 'CONSUMED_EXTERNAL';
}
