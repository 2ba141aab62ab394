import type { Hex } from '../domain/brand';
import type { SignedTransaction, SignedTransactions } from '../template/signed-transactions';
import { ViemSignedTransactions } from '../viem/viem-signed-transactions';
import { decodeFake, fakeHash } from './fake-transaction';

/** Reads the bytes of {@link FakeChain} as well as real ones. */
export class TestSignedTransactions implements SignedTransactions {
  private readonly real = new ViemSignedTransactions();

  read(rawTx: Hex): SignedTransaction {
    const fake = decoded(rawTx);
    if (fake === null) return this.real.read(rawTx);
    return { txHash: fakeHash(rawTx), nonce: fake.nonce, chainId: fake.chainId };
  }

  async sender(rawTx: Hex): Promise<Hex> {
    return decoded(rawTx)?.from ?? this.real.sender(rawTx);
  }

  problemOfBump(original: Hex, bumped: Hex): string | null {
    const [old, fake] = [decoded(original), decoded(bumped)];
    if (old === null || fake === null) return this.real.problemOfBump(original, bumped);
    if (fake.payload !== old.payload || fake.nonce !== old.nonce) return 'other work';
    return fake.feePerGas * 10 < old.feePerGas * 11 ? 'too low a fee' : null;
  }
}

function decoded(rawTx: Hex): ReturnType<typeof decodeFake> | null {
  try {
    return decodeFake(rawTx);
  } catch {
    return null;
  }
}
