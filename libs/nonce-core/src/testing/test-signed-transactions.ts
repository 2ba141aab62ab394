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
}

function decoded(rawTx: Hex): ReturnType<typeof decodeFake> | null {
  try {
    return decodeFake(rawTx);
  } catch {
    return null;
  }
}
