import { Injectable, Module } from '@nestjs/common';
import { InjectNonce, NonceComponent, NonceModule } from '@noncekit/nonce-core';
import { createWalletClient, http, type Address, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { foundry as chain } from 'viem/chains';

const { DATABASE_URL = '', RPC_URL = '', TREASURY_KEY = '' } = process.env;
const account = privateKeyToAccount(TREASURY_KEY as Hex);
const wallet = createWalletClient({ account, chain, transport: http(RPC_URL) });

@Injectable()
export class Treasury {
  constructor(@InjectNonce() private readonly nonces: NonceComponent) {}

  /** Pays an invoice once, however often and on however many nodes this is called. */
  async pay(invoiceId: string, to: Address, value: bigint): Promise<void> {
    await this.nonces.withNonce(
      account.address,
      async (ctx) => {
        const transfer = await wallet.prepareTransactionRequest({ to, value, nonce: ctx.nonce });
        return ctx.send(await wallet.signTransaction(transfer));
      },
      { operationId: invoiceId },
    );
  }
}

@Module({
  imports: [
    NonceModule.forRoot({
      database: { url: DATABASE_URL },
      chains: { [chain.id]: { rpcUrls: [RPC_URL] } },
      defaultChainId: chain.id,
    }),
  ],
  providers: [Treasury],
})
export class TreasuryModule {}
