import { openStore, type StoreFixture } from '@noncekit/test-support/store-fixture';
import { startTestChain, type TestChain } from '@noncekit/test-support/test-chain';
import { waitFor } from '@noncekit/test-support/wait-for';
import { Wallet } from './support/wallet';
import { WorkerProcess } from './support/worker-process';

/** The longest there is: within this test nothing happens because of a poll. */
const POLL_INTERVAL_MS = '600000';

let store: StoreFixture;
let chain: TestChain;
let worker: WorkerProcess;

beforeAll(async () => {
  [store, chain] = await Promise.all([openStore(), startTestChain({ noMining: true })]);
  const at = `NONCE_CHAIN_${String(chain.chainId)}`;
  worker = await WorkerProcess.start(store.database, chain, {
    [`${at}_POLL_INTERVAL_MS`]: POLL_INTERVAL_MS,
    [`${at}_WS_URLS`]: chain.rpcUrl.replace('http', 'ws'),
  });
});
afterAll(async () => {
  await worker.process.stop();
  await Promise.all([store.close(), chain.close()]);
});

it('a transaction is followed to its confirmations by announced heads alone', async () => {
  const chainLabel = `chain="${String(chain.chainId)}"`;
  const followed = () => worker.metric('nonce_chain_head', chainLabel);
  await chain.mine();
  await waitFor(async () => (await followed()) >= 1, { describe: 'the first announced head' });
  const wallet = await Wallet.open(store, chain, 1);
  const [allocation] = await wallet.grant(1, 60_000);
  if (allocation === undefined) throw new Error('nothing granted');
  const { rawTx, txHash } = await wallet.sign(allocation.nonce);
  await wallet.tell(allocation, 'intent', { rawTx, txHash });
  await wallet.send(rawTx);
  await wallet.tell(allocation, 'submitted', { txHash });
  await chain.mine();
  await wallet.reaches(allocation.nonce, ['MINED']);
  await chain.mine(2);
  await wallet.reaches(allocation.nonce, ['CONFIRMED']);
});
