import { Redis } from 'ioredis';
import type { BenchCase, Comparison, Contender, Guarantees } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { ClassicTransaction } from '../contenders/classic-transaction';
import { FireFlyWriter } from '../contenders/firefly-writer';
import { OpenZeppelinSequence } from '../contenders/openzeppelin-sequence';
import { RawAllocation } from '../contenders/raw-allocation';
import { ThirdwebSequence } from '../contenders/thirdweb-sequence';
import { ethersManager, viemManager } from '../contenders/wallet-managers';
import { generateLoad } from '../generate-load';
import { GUARANTEES } from '../guarantees';
import { openNonces } from '../open-nonces';
import { submitterAt } from '../submitters';

const CALLERS = 64;
const ENGINE = 'noncekit, reliable';
const LOCKED = 'noncekit, reliable, with the Redis lock';
const RAW = 'raw coalesced statement';
const CLASSIC = 'classic transaction';
const THIRDWEB = 'thirdweb Engine, its Redis commands';
const OPENZEPPELIN = 'OpenZeppelin Relayer, its Redis commands';
const FIREFLY = 'FireFly, its writer';

const COMPARISONS: readonly Comparison[] = [
  { label: 'to the raw statement', of: ENGINE, to: RAW, by: 'perSecond', target: '≥ 0.8' },
  { label: 'to the classic transaction', of: ENGINE, to: CLASSIC, by: 'perSecond', target: '≥ 40' },
  { label: 'to thirdweb', of: ENGINE, to: THIRDWEB, by: 'perSecond', target: '≥ 1.1' },
  { label: 'to OpenZeppelin', of: ENGINE, to: OPENZEPPELIN, by: 'perSecond', target: '≥ 2.5' },
  { label: 'to FireFly', of: ENGINE, to: FIREFLY, by: 'perSecond', target: '≥ 9' },
  { label: 'lock to no lock', of: LOCKED, to: ENGINE, by: 'perSecond', target: '–' },
];

/** Everybody wants a nonce of the same account: ours, the least possible, and what others do. */
export const hotSubmitter: BenchCase = {
  name: 'hot',
  title: 'One hot submitter, 64 callers',
  needs: 'redis',
  notes: [
    'Others are measured by repeating the commands their public sources send, from the same program, over connections set up as theirs; FireFly holds a batch back for up to 10 ms, so more callers would serve it better. Its work around the nonce (reading the chain, signing) is left out for all. The MetaMask nonce tracker is left out: it asks the chain for every nonce and its package brings a second ethers.',
  ],
  async open(stores) {
    const peers = await openPeers(stores);
    const databaseUrl = await stores.database();
    const node = await openNonces({ databaseUrl });
    const locked = await openNonces({
      databaseUrl: await stores.database(),
      redisUrl: stores.redisUrl,
    });
    const raw = new RawAllocation(databaseUrl);
    const [ours, rawOnly] = [submitterAt(0), submitterAt(1)];
    await node.nonces.allocate(rawOnly);
    return {
      contenders: [
        contender(ENGINE, GUARANTEES.reliable, () => node.nonces.allocate(ours)),
        contender(RAW, GUARANTEES.reliable, () => raw.allocate(rawOnly)),
        contender(LOCKED, GUARANTEES.reliable, () => locked.nonces.allocate(ours)),
        ...peers.contenders,
      ],
      comparisons: COMPARISONS,
      async close() {
        await Promise.all([node.close(), locked.close(), raw.close(), peers.close()]);
      },
    };
  },
};

async function openPeers(
  stores: BenchStores,
): Promise<{ contenders: readonly Contender[]; close(): Promise<void> }> {
  const redis = new Redis(stores.redisUrl ?? '');
  const classic = new ClassicTransaction(await stores.emptyDatabase());
  const fireFly = new FireFlyWriter(await stores.emptyDatabase());
  const thirdweb = new ThirdwebSequence(redis);
  const openZeppelin = new OpenZeppelinSequence(redis);
  const account = submitterAt(0);
  await Promise.all([
    classic.prepare([account]),
    fireFly.prepare(),
    thirdweb.prepare(account),
    openZeppelin.prepare(account),
  ]);
  return {
    contenders: [
      contender(CLASSIC, GUARANTEES.classic, () => classic.allocate(account)),
      contender(THIRDWEB, GUARANTEES.thirdweb, () => thirdweb.allocate(account)),
      contender(OPENZEPPELIN, GUARANTEES.openZeppelin, () => openZeppelin.allocate(account)),
      contender(FIREFLY, GUARANTEES.fireFly, () => fireFly.allocate(account)),
      contender('viem nonceManager', GUARANTEES.inMemory, viemManager()),
      contender('ethers NonceManager', GUARANTEES.inMemory, ethersManager()),
    ],
    async close() {
      await Promise.all([classic.close(), fireFly.close()]);
      redis.disconnect();
    },
  };
}

function contender(name: string, guarantees: Guarantees, call: () => Promise<unknown>): Contender {
  const run = (durationMs: number) => generateLoad({ callers: CALLERS, durationMs }, call);
  return { name, guarantees, run };
}
