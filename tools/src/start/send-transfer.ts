import { NonceOutcome, type NonceContext } from '@noncekit/nonce-core';
import { parseGwei, type Hex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { Transfer } from './transfer-plan';

export class InjectedFailure extends Error {
  override readonly name = 'InjectedFailure';
}

export interface Payment {
  readonly chainId: number;
  readonly account: PrivateKeyAccount;
  readonly recipient: Hex;
  readonly transfer: Transfer;
}

/**
 * The handler of the demo: signs a transfer at the nonce it was given and sends it. `ctx.send`
 * writes the intent first. The planned mishaps happen before that.
 */
export async function sendTransfer(
  context: NonceContext,
  payment: Payment,
  firstTry: boolean,
): Promise<Hex | NonceOutcome<Hex>> {
  const { transfer, account } = payment;
  if (transfer.mishap === 'asks-for-retry' && context.attempt === 1) {
    return NonceOutcome.retry('the price moved');
  }
  const raw = await account.signTransaction({
    chainId: payment.chainId,
    type: 'eip1559',
    nonce: context.nonce,
    to: payment.recipient,
    value: transfer.amountWei,
    gas: 21_000n,
    maxFeePerGas: parseGwei('50'),
    maxPriorityFeePerGas: parseGwei('1'),
  });
  if (transfer.mishap === 'fails-before-sending' && firstTry) {
    throw new InjectedFailure('the compliance check said no');
  }
  return context.send(raw);
}
