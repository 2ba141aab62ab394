import type { Allocation } from '../../../src/domain/allocation';
import type { Hex } from '../../../src/domain/brand';
import { isNonceError } from '../../../src/domain/errors/nonce-error';
import { report } from '../../support/child-messages';
import type { AllocatedFact, SentFact, SpokenFact, SpokenWord } from '../history/history';

const NS_PER_US = 1_000n;

/** All processes of one machine share this clock. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / NS_PER_US);
}

/** What a process under chaos reports, each line before the next step is taken. */
export type ChaosMessage =
  | { readonly kind: 'ready' | 'finished' }
  | { readonly kind: 'halts'; readonly step: string }
  | { readonly kind: 'refused'; readonly code: string; readonly why: string }
  /** What an ordered switch came to: its epoch, or the code it was refused with. */
  | { readonly kind: 'switched'; readonly answer: number | string }
  | { readonly kind: 'fact'; readonly fact: AllocatedFact | SentFact }
  | {
      readonly kind: 'asks';
      readonly call: number;
      readonly fact: Omit<SpokenFact, 'atUs' | 'answer'>;
    }
  | {
      readonly kind: 'hears';
      readonly call: number;
      readonly atUs: number;
      readonly answer: SpokenFact['answer'];
    };

/** Writes down everything that the holders of one node ask, are told, and send. */
export class Recorder {
  private calls = 0;

  constructor(
    private readonly node: string,
    private readonly tell: (message: ChaosMessage) => void = report,
  ) {}

  allocated(allocations: readonly Allocation[], askedUs: number): void {
    const atUs = nowUs();
    for (const allocation of allocations) {
      const { id: token, submitter, nonce, source, exposure, epoch } = allocation;
      const fact: AllocatedFact = {
        kind: 'allocated',
        node: this.node,
        askedUs,
        atUs,
        submitter,
        nonce,
        token,
        source,
        exposure,
        epoch,
        grantedAtMs: allocation.createdAt.getTime(),
        deadlineMs: allocation.deadline?.getTime() ?? null,
        operation: allocation.operationId,
      };
      this.tell({ kind: 'fact', fact });
    }
  }

  /** Asks, and answers what the holder was told; never throws. */
  async spoken(
    { id: token, submitter, nonce }: Allocation,
    said: { readonly word: SpokenWord; readonly txHash: Hex | null },
    ask: () => Promise<unknown>,
  ): Promise<SpokenFact['answer']> {
    this.calls += 1;
    const call = this.calls;
    const common = { kind: 'spoken', node: this.node, submitter, nonce, token } as const;
    const fact = { ...common, ...said, askedUs: nowUs() };
    this.tell({ kind: 'asks', call, fact });
    const answer = await ask().then(() => 'accepted' as const, answerOf);
    this.tell({ kind: 'hears', call, atUs: nowUs(), answer });
    return answer;
  }

  /** Said before it is done: a process that dies in between counts as one that has sent. */
  sends({ id: token, submitter, nonce }: Allocation, txHash: Hex): void {
    const common = { kind: 'sent', node: this.node, atUs: nowUs() } as const;
    this.tell({
      kind: 'fact',
      fact: { ...common, submitter, nonce, token, txHash },
    });
  }

  refused(error: unknown): void {
    const code = isNonceError(error) ? error.code : String(error);
    const { context, cause } = Object(error) as { context?: unknown; cause?: unknown };
    this.tell({ kind: 'refused', code, why: `${JSON.stringify(context)} ${String(cause)}` });
  }
}

function answerOf(error: unknown): SpokenFact['answer'] {
  if (!isNonceError(error)) throw error;
  return error.code === 'NONCE_STORE_UNAVAILABLE' ? 'unknown' : error.code;
}
