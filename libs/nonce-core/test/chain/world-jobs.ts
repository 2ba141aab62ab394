import { isNonceError } from '../../src/domain/errors/nonce-error';
import type { Hex } from '../../src/domain/brand';
import type { BurnSigner } from '../../src/ports/burn-signer.port';
import type { ChainRegistry, ConfiguredChain } from '../../src/ports/chain.port';
import type { TransactionSigner } from '../../src/ports/signer.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { PostgresAlignmentStore } from '../../src/postgres/postgres-alignment-store';
import { PostgresTrackingStore } from '../../src/postgres/postgres-tracking-store';
import { AlignWithChain } from '../../src/recovery/align-with-chain';
import { FollowTransactions } from '../../src/tracking/follow-transactions';
import { LookAtRows } from '../../src/tracking/look-at-rows';
import { ReclaimExpired } from '../../src/tracking/reclaim-expired';
import { ResendIntents } from '../../src/tracking/resend-intents';
import { SettleQuarantine } from '../../src/tracking/settle-quarantine';
import type { TrackingDeps } from '../../src/tracking/tracking-deps';
import type { StoreFixture } from '../support/store-fixture';
import type { WorldPayer } from './world-payer';

export interface WorldRow {
  readonly allocationId: string;
  readonly nonce: number;
  readonly stage: string;
  readonly txHash: Hex | null;
  readonly note: string | null;
}

/** What the library once said of an allocation and can never take back. */
export interface Verdict {
  readonly allocationId: string;
  readonly stage: 'FINAL' | 'BURNT' | 'CONSUMED_EXTERNAL';
  readonly txHash: Hex | null;
}

interface JobParts {
  readonly fixture: StoreFixture;
  readonly chain: ConfiguredChain;
  readonly payers: readonly WorldPayer[];
  readonly burnSigner: BurnSigner | null;
  readonly signer: TransactionSigner | null;
}

const ROUND_MS = 60_000;
const TERMINAL: readonly string[] = ['FINAL', 'BURNT', 'CONSUMED_EXTERNAL'];

/** The jobs of a worker, ticked by hand, and every verdict they ever wrote. */
export class WorldJobs {
  readonly verdicts = new Map<string, Verdict>();
  readonly events: string[] = [];
  private readonly deps: TrackingDeps;
  private readonly alignment: AlignWithChain;

  constructor(private readonly parts: JobParts) {
    const { runner } = parts.fixture;
    const { chainId } = parts.chain.profile;
    const chains: ChainRegistry = {
      all: [parts.chain],
      find: (id) => (id === chainId ? parts.chain : undefined),
    };
    this.deps = {
      store: new PostgresTrackingStore(runner),
      chains,
      burnSigner: parts.burnSigner,
      signer: parts.signer,
      stuckHook: null,
      events: { publish: (name) => void this.events.push(name) },
      metrics: NO_METRICS,
      logger: SILENT,
    };
    const store = new PostgresAlignmentStore(runner, this.quarantine);
    this.alignment = new AlignWithChain({ ...this.deps, store });
  }

  /** One tick of every job, a minute after the one before. Nothing may fail in a healed world. */
  async round({ healed }: { readonly healed: boolean }): Promise<void> {
    const passChainError = healed ? passNothing : passNonceError;
    await this.passTime();
    const { quarantine } = this;
    const attempts = { perMinute: 1_000, total: 10_000 };
    const bounds = { batchMax: 100, claimMs: 30_000, stuckAfterMs: 600_000 };
    const settings = { quarantine, attempts, ...bounds };
    const rows = new LookAtRows(this.deps, settings);
    await new ReclaimExpired(this.deps, quarantine).tick();
    const known = this.parts.payers.filter(({ grants }) => grants.length > 0);
    for (const { submitter } of known) {
      await this.alignment.alignWithChain(submitter).catch(passChainError);
    }
    await new ResendIntents(rows).tick().catch(passChainError);
    await new FollowTransactions(rows).tick().catch(passChainError);
    await new SettleQuarantine(rows).tick().catch(passChainError);
    await this.noteVerdicts();
  }

  async rows(payer: WorldPayer): Promise<readonly WorldRow[]> {
    const { rows } = await this.parts.fixture.database.pool.query<WorldRow & { nonce: string }>(
      `SELECT id AS "allocationId", nonce, stage, tx_hash AS "txHash", note
       FROM submitter_nonce_allocation WHERE submitter = $1 ORDER BY nonce`,
      [payer.submitter],
    );
    return rows.map((row) => ({ ...row, nonce: Number(row.nonce) }));
  }

  async nextNonce(payer: WorldPayer): Promise<number> {
    const { rows } = await this.parts.fixture.database.pool.query<{ next: string }>(
      'SELECT next_local_nonce AS next FROM submitter_nonce_state WHERE submitter = $1',
      [payer.submitter],
    );
    return Number(rows[0]?.next ?? 0);
  }

  async openRows(): Promise<readonly WorldRow[]> {
    const all = await Promise.all(this.parts.payers.map((payer) => this.rows(payer)));
    return all.flat().filter(({ stage }) => !TERMINAL.includes(stage));
  }

  async stages(payer: WorldPayer): Promise<readonly string[]> {
    return (await this.rows(payer)).map(({ stage }) => stage);
  }

  get burns(): boolean {
    return this.parts.burnSigner !== null;
  }

  private get quarantine() {
    const release = this.burns ? 'burn' : 'replacement';
    return { ms: 30_000, release } as const;
  }

  /** Handlers have ended by now, so whatever waits for them may be looked at. */
  private async passTime(): Promise<void> {
    const { pool } = this.parts.fixture.database;
    await pool.query(
      `UPDATE submitter_nonce_allocation SET
         updated_at = updated_at - $1 * interval '1 ms',
         stuck_since = stuck_since - $1 * interval '1 ms',
         release_at = release_at - $1 * interval '1 ms',
         deadline = CASE WHEN stage = 'GRANTED' THEN deadline - $1 * interval '1 ms'
                    ELSE deadline END,
         due_at = CASE WHEN due_at IS NOT NULL THEN now() END
       WHERE submitter = ANY ($2)`,
      [ROUND_MS, this.parts.payers.map(({ submitter }) => submitter)],
    );
  }

  private async noteVerdicts(): Promise<void> {
    for (const payer of this.parts.payers) {
      for (const { allocationId, stage, txHash } of await this.rows(payer)) {
        const before = this.verdicts.get(allocationId)?.stage;
        if (before !== undefined && before !== stage) {
          throw new Error(`S10: ${before} became ${stage} at ${allocationId}`);
        }
        if (isVerdict(stage)) this.verdicts.set(allocationId, { allocationId, stage, txHash });
      }
    }
  }
}

function isVerdict(stage: string): stage is Verdict['stage'] {
  return TERMINAL.includes(stage);
}

/** A chain that does not answer is a fault of the world, not of the test. */
function passNonceError(error: unknown): undefined {
  if (isNonceError(error)) return undefined;
  throw error;
}

function passNothing(error: unknown): never {
  throw error;
}

const quiet = (): undefined => undefined;
const SILENT = { debug: quiet, info: quiet, warn: quiet, error: quiet };
