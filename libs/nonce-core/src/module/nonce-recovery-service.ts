import { parseSubmitter, type SubmitterInput } from '../domain/submitter';
import type { AlignmentReport } from '../ports/submitter-store.port';
import type { AlignWithChain } from '../recovery/align-with-chain';
import type { RebaselineReport, RebaselineSubmitter } from '../recovery/rebaseline-submitter';

/** Brings what is recorded in line with the chain. */
export class NonceRecoveryService {
  constructor(
    private readonly alignment: AlignWithChain,
    private readonly rebaselining: RebaselineSubmitter,
    private readonly defaultChainId: number | undefined,
  ) {}

  /**
   * Reads the account's counts and moves its floors; changes nothing when the chain is behind.
   * @throws NonceError NONCE_CHAIN_UNKNOWN, NONCE_CHAIN_UNREACHABLE, NONCE_CHAIN_MISMATCH,
   * NONCE_CHAIN_RESET, NONCE_SUBMITTER_UNKNOWN.
   */
  async alignWithChain(submitter: SubmitterInput): Promise<AlignmentReport> {
    return this.alignment.alignWithChain(parseSubmitter(submitter, this.defaultChainId));
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
    return this.rebaselining.rebaseline(parseSubmitter(submitter, this.defaultChainId), order);
  }
}
