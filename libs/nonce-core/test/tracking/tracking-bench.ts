import type { Allocation, Exposure } from '../../src/domain/allocation';
import type { Hex } from '../../src/domain/brand';
import type { HolderCommand } from '../../src/domain/holder-command';
import { submitterParts, type Submitter } from '../../src/domain/submitter';
import type { QuarantinePolicy } from '../../src/domain/quarantine-policy';
import type { BurnSigner } from '../../src/ports/burn-signer.port';
import type { TransactionSigner } from '../../src/ports/signer.port';
import type { StuckHook } from '../../src/ports/stuck-hook.port';
import type { AttemptBounds } from '../../src/tracking/tracking-decision';
import type { ChainProfile, ChainRegistry } from '../../src/ports/chain.port';
import type { NonceEventName } from '../../src/ports/events.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import { FollowHeads } from '../../src/heads/follow-heads';
import { PostgresAlignmentStore } from '../../src/postgres/postgres-alignment-store';
import { PostgresHeadStore } from '../../src/postgres/postgres-head-store';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { PostgresTrackingStore } from '../../src/postgres/postgres-tracking-store';
import { AlignWithChain } from '../../src/recovery/align-with-chain';
import { FakeChain, type FakeChainOptions } from '../../src/testing/fake-chain';
import { FollowTransactions } from '../../src/tracking/follow-transactions';
import { LookAtRows } from '../../src/tracking/look-at-rows';
import { ReclaimExpired } from '../../src/tracking/reclaim-expired';
import { ResendIntents } from '../../src/tracking/resend-intents';
import { SettleQuarantine } from '../../src/tracking/settle-quarantine';
import {
  baselineOf,
  batchOf,
  newSubmitter,
  openStore,
  QUARANTINE,
  rowOf,
  type StoreFixture,
} from '../support/store-fixture';

const silent = { debug: quiet, info: quiet, warn: quiet, error: quiet };
function quiet(): void {
  return undefined;
}

/** The tracker on a real Postgres and a chain in memory, with one submitter of its own. */
export class TrackingBench {
  readonly submitter: Submitter;
  readonly address: Hex;
  readonly events: string[] = [];
  readonly store: PostgresTrackingStore;
  readonly submitters: PostgresSubmitterStore;
  readonly chains: ChainRegistry;
  readonly alignment: AlignWithChain;
  /** Closes quarantined nonces under `burn`; none unless a test sets one. */
  burnSigner: BurnSigner | null = null;
  /** Signs again for a higher fee; none unless a test sets one. */
  signer: TransactionSigner | null = null;
  stuckHook: StuckHook | null = null;
  /** Rounds of a test follow each other at once; a test of the bound sets its own. */
  attempts: AttemptBounds = { perMinute: 1_000, total: 1_000 };
  quarantine: QuarantinePolicy = QUARANTINE;
  /** Followed where a test asks for it. */
  heads: FollowHeads | undefined;

  constructor(
    readonly fixture: StoreFixture,
    readonly chain: FakeChain,
    readonly profile: ChainProfile,
  ) {
    this.submitter = newSubmitter(chain.chainId);
    this.address = submitterParts(this.submitter).address;
    this.store = new PostgresTrackingStore(fixture.runner);
    this.submitters = new PostgresSubmitterStore(fixture.runner);
    const configured = { profile, reader: chain, sender: chain };
    this.chains = {
      all: [configured],
      find: (id) => (id === chain.chainId ? configured : undefined),
    };
    const store = new PostgresAlignmentStore(fixture.runner, QUARANTINE);
    this.alignment = new AlignWithChain({ ...this.deps(), store });
  }

  static async open(options: FakeChainOptions = {}): Promise<TrackingBench> {
    const chain = new FakeChain(options);
    const profile: ChainProfile = {
      chainId: chain.chainId,
      confirmations: 2,
      finalityTag: 'finalized',
      reorgDepth: 50,
      // Short, because waiting rows are looked at again after about this time.
      pollIntervalMs: 5,
      maxInFlight: 0,
      strictNonce: false,
    };
    const bench = new TrackingBench(await openStore(), chain, profile);
    const genesisHash = await chain.genesisHash();
    const baseline = baselineOf(bench.submitter, { chainLatestCount: 0, genesisHash });
    await bench.fixture.store.open(baseline);
    return bench;
  }

  /** From now on blocks wake rows. Another call is another worker, which knows nothing yet. */
  followHeads(): FollowHeads {
    const store = new PostgresHeadStore(this.fixture.runner);
    this.heads = new FollowHeads({ ...this.deps(), store });
    return this.heads;
  }

  close(): Promise<void> {
    return this.fixture.close();
  }

  /** Grants nonces; `ttlMs` is also how long an intent is left to its holder. */
  async grant(
    count: number,
    overrides: { readonly ttlMs?: number; readonly exposure?: Exposure } = {},
  ): Promise<readonly Allocation[]> {
    const ids = Array.from({ length: count }, () => crypto.randomUUID());
    const row = rowOf(this.submitter, { ids, ...overrides });
    const [answer] = await this.fixture.store.allocate(batchOf([row]));
    if (answer?.kind !== 'granted') throw new Error(JSON.stringify(answer));
    return answer.allocations;
  }

  async tell(
    { id }: Allocation,
    command: HolderCommand,
    tx: { readonly txHash?: Hex; readonly rawTx?: Hex } = {},
  ): Promise<Allocation> {
    const [answer] = await this.fixture.store.command(
      [
        {
          command,
          id,
          submitter: null,
          nonce: null,
          txHash: tx.txHash ?? null,
          rawTx: tx.rawTx ?? null,
          note: null,
          // The tests' holders are dead: their time is over at once.
          ttlMs: 0,
          followable: true,
        },
      ],
      this.quarantine,
    );
    if (answer?.kind !== 'done') throw new Error(JSON.stringify(answer));
    return answer.allocation;
  }

  sign(allocation: Allocation, payload = `work ${allocation.nonce}`) {
    return this.chain.sign({ from: this.address, nonce: allocation.nonce, payload, feePerGas: 10 });
  }

  async stage(nonce: number): Promise<string | undefined> {
    return (await this.row(nonce))?.stage;
  }

  async row(nonce: number): Promise<Allocation | undefined> {
    const rows = await this.submitters.nonces({
      submitter: this.submitter,
      from: nonce,
      to: nonce,
      limit: 1,
    });
    return rows[0];
  }

  /** Makes every open look due, as time would. */
  async dueNow(): Promise<void> {
    await this.fixture.database.pool.query(
      'UPDATE submitter_nonce_allocation SET due_at = now() WHERE due_at IS NOT NULL',
    );
  }

  /** Lets a row look as if nothing had been learned about it for this long. */
  async age(ms: number): Promise<void> {
    await this.fixture.database.pool.query(
      `UPDATE submitter_nonce_allocation SET updated_at = updated_at - $1 * interval '1 ms',
         stuck_since = stuck_since - $1 * interval '1 ms', due_at = now() WHERE due_at IS NOT NULL`,
      [ms],
    );
  }

  /** One round of every job of a worker. */
  async round(quarantine: QuarantinePolicy = this.quarantine): Promise<void> {
    await this.dueNow();
    const rows = this.looker(quarantine);
    await new ReclaimExpired(this.deps(), quarantine).tick();
    await new ResendIntents(rows).tick();
    await new FollowTransactions(rows).tick();
    await new SettleQuarantine(rows).tick();
  }

  looker(quarantine: QuarantinePolicy = this.quarantine): LookAtRows {
    const { attempts } = this;
    const bounds = { batchMax: 100, claimMs: 30_000, stuckAfterMs: 600_000 };
    const settings = { quarantine, attempts, ...bounds };
    return new LookAtRows(this.deps(), settings);
  }

  deps() {
    const publish = (name: NonceEventName): void => {
      this.events.push(name);
    };
    const { store, chains, burnSigner, signer, stuckHook, heads } = this;
    const followed = heads === undefined ? {} : { heads };
    return {
      store,
      chains,
      burnSigner,
      signer,
      stuckHook,
      ...followed,
      events: { publish },
      metrics: NO_METRICS,
      logger: silent,
    };
  }
}
