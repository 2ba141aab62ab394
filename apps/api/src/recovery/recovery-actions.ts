import {
  parseSubmitter,
  type ContinuityWatch,
  type OperatorWord,
  type RecoveryState,
} from '@noncekit/nonce-core';
import type { DefaultChain } from '../http/path-parameters';

/** What operators may do about a database that went back; nothing where no witness is kept. */
export class RecoveryActions {
  constructor(
    private readonly watch: ContinuityWatch | null,
    private readonly defaultChain: DefaultChain,
  ) {}

  async state(): Promise<RecoveryState | null> {
    return (await this.watch?.state()) ?? null;
  }

  /** Lifts a hold; audited where there is one. */
  async confirm(word: OperatorWord): Promise<void> {
    await this.watch?.confirm(word);
  }

  /** @throws NonceError NONCE_VALIDATION for text that names no submitter. */
  async leave(text: string, word: OperatorWord): Promise<void> {
    const submitter = parseSubmitter(text, this.defaultChain.id);
    await this.watch?.leave(submitter, word);
  }
}
