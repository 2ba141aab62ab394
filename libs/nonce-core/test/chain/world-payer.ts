import { keccak256, toHex } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import type { Hex } from '../../src/domain/brand';
import { parseSubmitter, type Submitter } from '../../src/domain/submitter';
import type { AllocationSource } from '../../src/domain/allocation';

const GWEI = 10n ** 9n;
export const RECIPIENT: Hex = `0x${'aa'.repeat(20)}`;

/** One business operation. Its amount is its mark on the chain: no other operation pays as much. */
export interface Operation {
  readonly id: string;
  readonly wei: bigint;
  /** What its caller was told at last. */
  told: string | null;
}

/** One nonce in the hands of one handler. */
export interface Grant {
  readonly operation: Operation;
  readonly allocationId: string;
  readonly nonce: number;
  readonly source: AllocationSource;
  /** Set once bytes may have left: their intent was written. */
  sent: Hex | null;
}

/** An account with all that was asked of it and granted to it. */
export class WorldPayer {
  readonly account: PrivateKeyAccount;
  readonly privateKey: Hex;
  readonly address: Hex;
  readonly submitter: Submitter;
  readonly operations: Operation[] = [];
  readonly grants: Grant[] = [];

  constructor(
    private readonly chainId: number,
    name: string,
  ) {
    this.privateKey = keccak256(toHex(`${chainId} ${name}`));
    this.account = privateKeyToAccount(this.privateKey);
    this.address = this.account.address.toLowerCase() as Hex;
    this.submitter = parseSubmitter({ chainId, address: this.address });
  }

  operation(): Operation {
    const number = this.operations.length + 1;
    const operation = { id: `payment-${number}`, wei: BigInt(number), told: null };
    this.operations.push(operation);
    return operation;
  }

  sign(nonce: number, wei: bigint, gwei = 20n): Promise<Hex> {
    return this.account.signTransaction({
      type: 'eip1559',
      chainId: this.chainId,
      nonce,
      to: RECIPIENT,
      value: wei,
      gas: 21_000n,
      maxFeePerGas: gwei * GWEI,
      maxPriorityFeePerGas: (gwei * GWEI) / 10n,
    });
  }

  operationOf(allocationId: string): Operation | undefined {
    return this.grants.find((grant) => grant.allocationId === allocationId)?.operation;
  }
}
