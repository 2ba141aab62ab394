import type { Reconciliation } from '../domain/reconciliation';
import { parseSubmitter, type SubmitterInput } from '../domain/submitter';
import type { ReconcileOrder } from '../ports/reconciliation-store.port';
import type { AlignmentReport } from '../ports/submitter-store.port';
import type { AlignWithChain } from '../recovery/align-with-chain';
import type {
  FullReconcile,
  ReconcileRun,
  SubmitterReconciliation,
} from '../recovery/full-reconcile';
import type { RebaselineReport, RebaselineSubmitter } from '../recovery/rebaseline-submitter';

interface RecoveryParts {
  readonly alignment: AlignWithChain;
  readonly rebaselining: RebaselineSubmitter;
  readonly reconciling: FullReconcile;
}

/** Brings what is recorded in line with the chain. */
export class NonceRecoveryService {
  constructor(
    private readonly parts: RecoveryParts,
    private readonly defaultChainId: number | undefined,
  ) {}

  /**
   * Reads the account's counts and moves its floors; changes nothing when the chain is behind.
   * @throws NonceError NONCE_CHAIN_UNKNOWN, NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH,
   * NONCE_CHAIN_RESET, NONCE_SUBMITTER_UNKNOWN.
   */
  async alignWithChain(submitter: SubmitterInput): Promise<AlignmentReport> {
    return this.parts.alignment.alignWithChain(parseSubmitter(submitter, this.defaultChainId));
  }

  /**
   * Starts the submitter anew on a chain that was reset (another genesis block): nonces begin at the
   * count of that chain, holders of the old one are fenced. With `dryRun` it only says so.
   * @throws NonceError NONCE_PRECONDITION while the genesis is the remembered one or a fast store
   * issues for the submitter; NONCE_CHAIN_UNKNOWN, NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH,
   * NONCE_SUBMITTER_UNKNOWN.
   */
  async rebaseline(
    submitter: SubmitterInput,
    order: { readonly reason: string; readonly dryRun: boolean },
  ): Promise<RebaselineReport> {
    const parsed = parseSubmitter(submitter, this.defaultChainId);
    return this.parts.rebaselining.rebaseline(parsed, order);
  }

  /**
   * Compares all submitters, or the hot ones, with the witnesses and the chains, and mends what
   * differs; with `dryRun` it only says so. Durable per page; deletes nothing.
   * @throws NonceError NONCE_PRECONDITION while one of its kind runs, NONCE_STORE_UNAVAILABLE,
   * NONCE_RECOVERY_HOLD.
   */
  fullReconcile(order: ReconcileOrder & ReconcileRun): Promise<Reconciliation> {
    const { onProgress, signal, ...what } = order;
    const run = { ...(onProgress && { onProgress }), ...(signal && { signal }) };
    return this.parts.reconciling.reconcile(what, run);
  }

  /**
   * Compares one submitter with its witness and its chain, now; with `dryRun` it only says what would
   * change.
   * @throws NonceError as `alignWithChain`, NONCE_RECOVERY_HOLD, NONCE_STORE_UNAVAILABLE.
   */
  async reconcile(
    submitter: SubmitterInput,
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<SubmitterReconciliation> {
    const parsed = parseSubmitter(submitter, this.defaultChainId);
    return this.parts.reconciling.reconcileOne(parsed, dryRun);
  }

  /** Leaves a full reconciliation to the workers. @throws NonceError as `fullReconcile`. */
  beginReconcile(order: ReconcileOrder): Promise<Reconciliation> {
    return this.parts.reconciling.begin(order);
  }

  /** How far a reconciliation is, or how it ended; null when there is none of that id. */
  findReconcile(id: string): Promise<Reconciliation | null> {
    return this.parts.reconciling.find(id);
  }
}
