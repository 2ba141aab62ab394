import { toNonce } from '../domain/nonce';
import { isNonceError } from '../domain/errors/nonce-error';
import { submitterParts, type ChainId, type Submitter } from '../domain/submitter';
import type { ServerStart, Witness } from '../domain/witness';
import type { Epoch } from '../domain/epoch';
import type { BaselineSource } from '../ports/baseline.port';
import type { PagedSubmitter, ReconciliationStore } from '../ports/reconciliation-store.port';
import type { RecoverLost } from './recover-lost';

export interface RecoverUnwitnessedDeps {
  readonly submitters: Pick<ReconciliationStore, 'page'>;
  readonly lost: Pick<RecoverLost, 'recover'>;
  readonly baselines: BaselineSource;
  /** Window of submitters that have none of their own; 0 = no limit. */
  readonly defaultWindow: (chainId: ChainId) => number;
}

/** Submitters whose chains are asked at the same time, and recovered by one call. */
const PAGE_SIZE = 100;
const CONCURRENCY = 8;
/** Taken for the window where there is no limit: nobody can say how far the lost grants went. */
const UNLIMITED_WINDOW = 1_024;
const MICROSECONDS = 1_000_000n;
const REASON = 'the database is used without any witness of what it issued';

/**
 * Recovers every submitter as if the database had lost all it could have issued: no grant lay at or
 * above the chain's count plus the window, nor above what a pool holds. So nothing that was issued
 * after the state to which the database was put back is issued clean again (S8).
 *
 * Repeating it in one run of the server changes nothing more. Not guaranteed without a chain, where
 * only the window above the last known nonce is kept back; and where a window was lowered since.
 */
export class RecoverUnwitnessed {
  constructor(private readonly deps: RecoverUnwitnessedDeps) {}

  /** @throws NonceError NONCE_CHAIN_UNREACHABLE: what was recovered until then stays so. */
  async recover(server: ServerStart): Promise<void> {
    const loss = { lostAt: server.startedAt, reason: REASON };
    // No submitter has had as many epochs as seconds have passed, so that it is above every lost one.
    const epoch = Number(BigInt(server.startedAt) / MICROSECONDS) as Epoch;
    for (let behind = ''; ;) {
      const page = await this.deps.submitters.page({ behind, scope: 'all', limit: PAGE_SIZE });
      const last = page.at(-1);
      if (last === undefined) return;
      const witnesses = await this.witnessesOf(page, epoch);
      await this.deps.lost.recover(server, witnesses, loss);
      behind = last.submitter;
    }
  }

  private async witnessesOf(
    page: readonly PagedSubmitter[],
    epoch: Epoch,
  ): Promise<readonly Witness[]> {
    const waiting = [...page];
    const witnesses: Witness[] = [];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { submitter } = next;
        witnesses.push({ submitter, epoch, ceiling: await this.ceilingOf(next) });
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    return witnesses;
  }

  private async ceilingOf({ submitter, next, ceiling, window }: PagedSubmitter): Promise<number> {
    const { chainId } = submitterParts(submitter);
    const room = (window ?? this.deps.defaultWindow(chainId)) || UNLIMITED_WINDOW;
    const { latest, pending } = await this.countsOf(submitter);
    return toNonce(Math.max(ceiling, pending, (latest ?? next) + room));
  }

  private async countsOf(
    submitter: Submitter,
  ): Promise<{ readonly latest: number | null; readonly pending: number }> {
    try {
      const { chainLatestCount, pendingCount } = await this.deps.baselines.resolve(submitter);
      return { latest: chainLatestCount, pending: pendingCount };
    } catch (error) {
      if (!isNonceError(error, 'NONCE_CHAIN_UNKNOWN')) throw error;
      return { latest: null, pending: 0 };
    }
  }
}
