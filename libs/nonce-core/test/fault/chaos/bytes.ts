import { createHash, randomBytes } from 'node:crypto';
import type { Allocation } from '../../../src/domain/allocation';
import type { Hex } from '../../../src/domain/brand';
import { sendRaw, signTransfer } from '../transfers';

export interface ChainPlan {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** Index of the funded account behind each submitter. */
  readonly accounts: Readonly<Record<string, number>>;
}

export interface Signed {
  readonly txHash: Hex;
  readonly rawTx?: Hex;
}

/** What holders sign and send. All runs of one operation at one nonce send the same bytes. */
export interface Bytes {
  prepare(allocation: Allocation): Promise<Signed>;
  /** False when it is not known to have reached a node. */
  send(signed: Signed): Promise<boolean>;
}

/** Without a chain bytes are a hash, and sending them is a word in the history. */
export const HASHES_ONLY: Bytes = {
  prepare: ({ submitter, nonce, operationId }) => {
    if (operationId === null) {
      return Promise.resolve({ txHash: `0x${randomBytes(32).toString('hex')}` });
    }
    const text = `${submitter} ${nonce} ${operationId}`;
    return Promise.resolve({ txHash: `0x${createHash('sha256').update(text).digest('hex')}` });
  },
  send: () => Promise.resolve(true),
};

/** Amounts of operations lie below this, those of other work above: each names its work. */
const OPERATIONS_END = 1_000_000_000;
const PER_ACCOUNT = 1_000_000;
const OTHER_WORK_BYTES = 5;

export function transfersOn({ rpcUrl, chainId, accounts }: ChainPlan): Bytes {
  return {
    async prepare({ submitter, nonce, operationId }) {
      const account = accounts[submitter];
      if (account === undefined) throw new Error(`${submitter} has no account on the chain`);
      const named = Number(/\d+$/.exec(operationId ?? '')?.[0]);
      const amount =
        operationId === null
          ? OPERATIONS_END + randomBytes(OTHER_WORK_BYTES).readUIntBE(0, OTHER_WORK_BYTES)
          : account * PER_ACCOUNT + named;
      return signTransfer({ chainId, account, nonce, amount });
    },
    send: ({ rawTx }) =>
      rawTx === undefined
        ? Promise.resolve(false)
        : sendRaw(rpcUrl, rawTx).then(
            () => true,
            () => false,
          ),
  };
}
