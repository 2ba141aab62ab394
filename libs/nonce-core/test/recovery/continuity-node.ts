import { v7 } from 'uuid';
import type { Hex } from '../../src/domain/brand';
import type { Epoch } from '../../src/domain/epoch';
import { toNonce, type Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import { SystemClock } from '../../src/module/system-clock';
import type { HolderAnswer } from '../../src/ports/allocation-store.port';
import type { NonceEventName } from '../../src/ports/events.port';
import type {
  FastEpoch,
  FastEpochAnswer,
  FastEpochRequest,
} from '../../src/ports/fast-epoch-store.port';
import type { FastGrant } from '../../src/ports/fast-store.port';
import { NO_METRICS } from '../../src/ports/metrics.port';
import type { WitnessStore } from '../../src/ports/witness.port';
import { createDataSource } from '../../src/postgres/data-source';
import { PostgresAccessStore } from '../../src/postgres/postgres-access-store';
import { PostgresAlignmentStore } from '../../src/postgres/postgres-alignment-store';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresContinuityStore } from '../../src/postgres/postgres-continuity-store';
import { PostgresFastEpochStore } from '../../src/postgres/postgres-fast-epoch-store';
import { PostgresModeStore } from '../../src/postgres/postgres-mode-store';
import { PostgresReconciliationStore } from '../../src/postgres/postgres-reconciliation-store';
import { StatementRunner } from '../../src/postgres/statement-runner';
import { openContinuity, type OpenContinuity } from '../../src/recovery/open-continuity';
import { baselineOf, hashOf, QUARANTINE } from '../support/store-fixture';

export interface NodeOptions {
  readonly url: string;
  readonly schema: string;
  readonly stores: readonly WitnessStore[];
  /** False leaves out continuity and its guard, to show what happens then. */
  readonly guarded?: boolean;
}

interface View {
  readonly epoch: FastEpoch;
  next: number;
}

const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {
  // What counts is what callers are told and what the stores hold.
}

let incarnations = 0;

/**
 * A node that issues from epochs as a fast engine does: the ceiling from Postgres, a witness of it,
 * then nonces below it without asking Postgres. It stands for node and fast store together, so that
 * losing it is losing the fast store.
 */
export class ContinuityNode {
  readonly events: { readonly name: NonceEventName; readonly submitter: string }[] = [];
  /** Why everything should be compared with the chains. */
  readonly losses: string[] = [];
  readonly open: OpenContinuity;
  readonly allocations: PostgresAllocationStore;
  readonly epochs: PostgresFastEpochStore;
  readonly alignment: PostgresAlignmentStore;
  readonly continuityStore: PostgresContinuityStore;
  readonly issued: FastGrant[] = [];
  private readonly modes: PostgresModeStore;
  private readonly incarnation: string;
  private readonly views = new Map<Submitter, View>();

  private constructor(
    private readonly source: ReturnType<typeof createDataSource>,
    readonly runner: StatementRunner,
    private readonly options: NodeOptions,
  ) {
    incarnations += 1;
    this.incarnation = `incarnation-${String(incarnations)}`;
    this.allocations = new PostgresAllocationStore(runner);
    this.epochs = new PostgresFastEpochStore(runner, QUARANTINE);
    this.modes = new PostgresModeStore(runner);
    this.alignment = new PostgresAlignmentStore(runner, QUARANTINE);
    this.continuityStore = new PostgresContinuityStore(runner);
    this.open = openContinuity({
      store: this.continuityStore,
      stores: options.stores,
      allocations: this.allocations,
      baselines: { resolve: (submitter) => Promise.resolve(baselineOf(submitter)) },
      audit: new PostgresAccessStore(runner),
      events: {
        publish: (name, payload) => {
          this.events.push({ name, submitter: 'submitter' in payload ? payload.submitter : '' });
        },
      },
      metrics: NO_METRICS,
      logger: SILENT,
      clock: new SystemClock(),
      quarantine: QUARANTINE,
      submitters: new PostgresReconciliationStore(runner),
      defaultWindow: () => 64,
      afterLoss: (reason) => this.losses.push(reason),
    });
    if (this.guarded) runner.guardWith(this.open.continuity);
  }

  static async start(options: NodeOptions): Promise<ContinuityNode> {
    const source = createDataSource({ url: options.url, schema: options.schema, poolSize: 4 });
    await source.initialize();
    const runner = new StatementRunner(source, options.schema);
    const node = new ContinuityNode(source, runner, options);
    await node.modes.initialise('PERFORMANCE', 'test');
    if (node.guarded) await node.open.watch.tick();
    return node;
  }

  private get guarded(): boolean {
    return this.options.guarded !== false;
  }

  async stop(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }

  /** The next fresh nonce; enters an epoch, or raises its ceiling by 8, where that is needed. */
  async issue(submitter: Submitter, operationId: string | null = null): Promise<FastGrant> {
    let view = this.views.get(submitter);
    if (view === undefined || view.next >= view.epoch.ceiling) view = await this.enter(submitter);
    const nonce = toNonce(view.next);
    view.next += 1;
    const grant = grantOf({ submitter, nonce, epoch: view.epoch.view.epoch, operationId });
    this.issued.push(grant);
    return grant;
  }

  async issueMany(submitter: Submitter, count: number): Promise<readonly FastGrant[]> {
    const grants: FastGrant[] = [];
    while (grants.length < count) grants.push(await this.issue(submitter));
    return grants;
  }

  async intent(grant: FastGrant, txHash: Hex = hashOf(grant.nonce + 1)): Promise<HolderAnswer> {
    return this.command('intent', grant, txHash);
  }

  async command(
    command: 'intent' | 'recyclable' | 'submitted',
    grant: FastGrant,
    txHash: Hex | null = null,
  ): Promise<HolderAnswer> {
    const { id, submitter, nonce } = grant;
    const row = { command, id, submitter, nonce, txHash, rawTx: null, note: null, grant };
    const rows = [{ ...row, ttlMs: 60_000, followable: true }];
    const [answer] = await this.allocations.command(rows, QUARANTINE);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** As an engine without a usable view does: a new epoch, witnessed before its first nonce. */
  async enter(submitter: Submitter): Promise<View> {
    const badEpoch = this.views.get(submitter)?.epoch.view.epoch ?? null;
    await this.allocations.open(baselineOf(submitter));
    const request = { submitter, incarnation: this.incarnation, badEpoch, raise: 8 };
    let answer = await this.ask(request);
    // A loss that was noticed by this very statement has raised the epoch of the mode.
    if (answer?.kind === 'mode') answer = await this.ask(request);
    if (answer?.kind !== 'epoch') throw new Error(`no epoch: ${JSON.stringify(answer)}`);
    const { epoch } = answer;
    const witness = { submitter, epoch: epoch.view.epoch, ceiling: epoch.ceiling };
    if (this.guarded) await this.open.continuity.keep([witness]);
    const view = { epoch, next: epoch.base };
    this.views.set(submitter, view);
    return view;
  }

  private async ask(
    request: Omit<FastEpochRequest, 'defaultWindow' | 'reason'>,
  ): Promise<FastEpochAnswer | undefined> {
    const { epoch } = await this.modes.read();
    const whole = { ...request, defaultWindow: 0, reason: 'test' };
    const [answer] = await this.epochs.enter([whole], 'strict', epoch);
    return answer;
  }
}

function grantOf(
  facts: Pick<FastGrant, 'submitter' | 'operationId'> & { nonce: Nonce; epoch: Epoch },
): FastGrant {
  return {
    ...facts,
    id: v7(),
    generation: 2,
    source: 'fresh',
    exposure: 'declared',
    metadata: null,
    grantedAtMs: Date.now(),
    deadlineMs: Date.now() + 60_000,
  };
}
