/**
 * A node with one handler that waits for the test's word before its intent and before it sends, so
 * that the test can stop the whole process there.
 */
import type { Exposure } from '../../../src/domain/allocation';
import { isNonceError } from '../../../src/domain/errors/nonce-error';
import { NonceOutcome } from '../../../src/domain/nonce-outcome';
import { commands, report } from '../../support/child-messages';
import { sendRaw, type SignedTransfer } from '../transfers';
import { openNode, type NodeOptions } from './open-node';
import { shiftWallClock } from './shifted-clock';

export interface HolderOrder {
  readonly node: NodeOptions;
  readonly submitter: string;
  readonly ttlMs: number;
  readonly exposure: Exposure;
  readonly clockShiftMs: number;
  /** The intent is of its hash alone, as of a holder that keeps its bytes to itself. */
  readonly transfer: SignedTransfer;
  /** Where it sends; without it nothing is sent. */
  readonly rpcUrl: string | null;
}

export type HolderMessage =
  | { readonly kind: 'holds'; readonly nonce: number; readonly id: string; readonly source: string }
  | { readonly kind: 'intent'; readonly nonce: number; readonly answer: string }
  | { readonly kind: 'sent'; readonly answer: string }
  | { readonly kind: 'ended'; readonly answer: string; readonly nonce: number | null };

function answerOf(error: unknown): string {
  return isNonceError(error) ? error.code : String(error);
}

async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2] ?? '') as HolderOrder;
  const { txHash, rawTx } = order.transfer;
  shiftWallClock(order.clockShiftMs);
  const node = await openNode(order.node);
  const words = commands();
  try {
    const { nonce } = await node.nonces.execute(
      order.submitter,
      async (ctx) => {
        const { nonce, allocationId: id, source } = ctx;
        report({ kind: 'holds', nonce, id, source } satisfies HolderMessage);
        await words.next();
        try {
          await ctx.intent({ txHash });
          report({ kind: 'intent', nonce, answer: 'written' } satisfies HolderMessage);
        } catch (error) {
          report({ kind: 'intent', nonce, answer: answerOf(error) } satisfies HolderMessage);
          throw error;
        }
        if (order.rpcUrl === null) return undefined;
        await words.next();
        const answer = await sendRaw(order.rpcUrl, rawTx).catch(answerOf);
        report({ kind: 'sent', answer } satisfies HolderMessage);
        return NonceOutcome.success(undefined, { txHash });
      },
      { ttlMs: order.ttlMs, exposure: order.exposure },
    );
    report({ kind: 'ended', answer: 'done', nonce } satisfies HolderMessage);
  } catch (error) {
    report({ kind: 'ended', answer: answerOf(error), nonce: null } satisfies HolderMessage);
  }
  await node.close();
  process.exit(0);
}

void main();
