import { createPublicClient, http, type Hex } from 'viem';
import { mnemonicToAccount, type HDAccount } from 'viem/accounts';
import type { StackChain } from '../../stack/stack';
import type { BenchCase } from '../bench-case';
import { generateLoad } from '../generate-load';
import { openNonces } from '../open-nonces';

const CALLERS = 16;
const ENGINE = 'withNonce';
const VIEM = 'viem, known nonces';
const GAS = 21_000n;
const FEE_PER_GAS = 10_000_000_000n;
/** Accounts of the development phrase that other programs leave alone. */
const [OUR_INDEX, VIEM_INDEX] = [7, 8];

/** Signed transfers to a development chain: what numbering adds to signing and sending. */
export const chainTransfers: BenchCase = {
  name: 'chain',
  title: 'Transfers on a development chain, 16 callers',
  needs: 'chain',
  async open(stores) {
    const { chain } = stores;
    if (chain?.mnemonic === undefined) throw new Error('the chain has no funded accounts');
    const node = await openNonces({ databaseUrl: await stores.database(), chain });
    const client = createPublicClient({ transport: http(chain.rpcUrl) });
    const ours = mnemonicToAccount(chain.mnemonic, { addressIndex: OUR_INDEX });
    const known = mnemonicToAccount(chain.mnemonic, { addressIndex: VIEM_INDEX });
    let next = await client.getTransactionCount({ address: known.address });
    const submitter = `eip155:${chain.chainId}:${ours.address}`;
    const transfer = (): Promise<Hex> =>
      node.nonces.withNonce(submitter, async (ctx) => {
        return ctx.send(await signTransfer(ours, chain, ctx.nonce));
      });
    const transferKnown = async (): Promise<Hex> => {
      const nonce = next;
      next += 1;
      const serializedTransaction = await signTransfer(known, chain, nonce);
      return client.sendRawTransaction({ serializedTransaction });
    };
    return {
      contenders: [
        {
          name: ENGINE,
          run: (durationMs) => generateLoad({ callers: CALLERS, durationMs }, transfer),
        },
        {
          name: VIEM,
          run: (durationMs) => generateLoad({ callers: CALLERS, durationMs }, transferKnown),
        },
      ],
      comparisons: [
        {
          label: 'transfers, to viem alone',
          of: ENGINE,
          to: VIEM,
          by: 'perSecond',
          target: '≥ 0.95',
        },
        { label: 'median time, to viem alone', of: ENGINE, to: VIEM, by: 'p50Ms', target: '–' },
      ],
      close: () => node.close(),
    };
  },
};

function signTransfer(account: HDAccount, chain: StackChain, nonce: number): Promise<Hex> {
  return account.signTransaction({
    type: 'eip1559',
    chainId: chain.chainId,
    nonce,
    to: account.address,
    value: 0n,
    gas: GAS,
    maxFeePerGas: FEE_PER_GAS,
    maxPriorityFeePerGas: 1n,
  });
}
