import type { Hex } from '../../../src/domain/brand';
import type { TestChain } from '../../support/test-chain';
import { waitFor } from '../../support/wait-for';
import { sendRaw } from '../transfers';
import type { ChaosWorld } from './chaos-world';
import type { MinedFact } from '../history/history';

interface ChainTransaction {
  readonly from: Hex;
  readonly nonce: Hex;
  readonly value: Hex;
  readonly hash: Hex;
}

/**
 * Sends the stored bytes of everything that may be out once more, as the tracker does, and reads
 * what the chain has executed.
 */
export async function mineEverything(world: ChaosWorld, chain: TestChain): Promise<MinedFact[]> {
  const { rows } = await world.pool.query<{ raw: string }>(
    `SELECT '0x' || encode(raw_tx, 'hex') AS raw FROM submitter_nonce_allocation
     WHERE raw_tx IS NOT NULL ORDER BY submitter, nonce`,
  );
  for (const { raw } of rows) {
    // One that has mined, or that another one at its nonce was faster than, is refused.
    await sendRaw(chain.rpcUrl, raw as Hex).catch(() => undefined);
  }
  await untilQuiet(chain);
  return executed(world, chain);
}

/** A development chain takes a while, and several blocks, to work off what had waited for a gap. */
async function untilQuiet(chain: TestChain): Promise<void> {
  await waitFor(
    async () => {
      await chain.mine();
      const { pending } = (await chain.server.rpc('txpool_status')) as { readonly pending: Hex };
      return Number(pending) === 0;
    },
    { everyMs: 100, describe: 'the chain to work off its pool' },
  );
}

async function executed(world: ChaosWorld, chain: TestChain): Promise<MinedFact[]> {
  const submitters = new Map(world.submitters.map((each) => [each.split(':')[2], each]));
  const last = Number(await chain.server.rpc('eth_blockNumber'));
  const found: MinedFact[] = [];
  for (let number = 1; number <= last; number += 1) {
    const { transactions } = (await chain.server.rpc('eth_getBlockByNumber', [
      `0x${number.toString(16)}`,
      true,
    ])) as { readonly transactions: readonly ChainTransaction[] };
    for (const { from, nonce, value, hash } of transactions) {
      const submitter = submitters.get(from.toLowerCase());
      if (submitter === undefined) continue;
      const operation = `the work of ${submitter} that pays ${String(BigInt(value))} wei`;
      found.push({ kind: 'mined', submitter, nonce: Number(nonce), txHash: hash, operation });
    }
  }
  return found;
}
