import { AnvilServer, type AnvilOptions } from '../../../../tools/src/stack/index';
import { mnemonicToAccount, type HDAccount } from 'viem/accounts';

export interface TestChain {
  readonly server: AnvilServer;
  readonly chainId: number;
  readonly rpcUrl: string;
  /** One of the funded accounts, 0…9 unless more were asked for. */
  account(index: number): HDAccount;
  mine(blocks?: number): Promise<void>;
  close(): Promise<void>;
}

/** A development chain of the test file's own; mines at once unless told otherwise. */
export async function startTestChain(options: AnvilOptions = {}): Promise<TestChain> {
  const server = await AnvilServer.start(options);
  return {
    server,
    chainId: server.chainId,
    rpcUrl: server.url,
    account: (index) => mnemonicToAccount(server.mnemonic, { addressIndex: index }),
    async mine(blocks = 1) {
      await server.rpc('anvil_mine', [`0x${blocks.toString(16)}`]);
    },
    close: () => server.stop(),
  };
}
