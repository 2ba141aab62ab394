import { parseSubmitter, type SubmitterInput } from '../domain/submitter';
import type { AlignmentReport } from '../ports/submitter-store.port';
import type { AlignWithChain } from '../recovery/align-with-chain';

/** Brings what is recorded in line with the chain. */
export class NonceRecoveryService {
  constructor(
    private readonly alignment: AlignWithChain,
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
}
