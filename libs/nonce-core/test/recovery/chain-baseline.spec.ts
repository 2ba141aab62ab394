import type { Nonce } from '../../src/domain/nonce';
import { parseSubmitter, toChainId } from '../../src/domain/submitter';
import type { ChainProfile, ChainRegistry } from '../../src/ports/chain.port';
import { ChainBaseline } from '../../src/recovery/chain-baseline';
import { FakeChain } from '../../src/testing/fake-chain';
import { QUARANTINE } from '../support/store-fixture';

const ADDRESS = `0x${'ab'.repeat(20)}` as const;
const CHAIN_ID = 31_337;
const submitter = parseSubmitter({ chainId: CHAIN_ID, address: ADDRESS });
const NO_CHAINS: ChainRegistry = { all: [], find: () => undefined };

function registryOf(chain: FakeChain, finalityTag: ChainProfile['finalityTag'] = 'finalized') {
  const profile: ChainProfile = {
    chainId: toChainId(CHAIN_ID),
    confirmations: 1,
    finalityTag,
    reorgDepth: 10,
    pollIntervalMs: 100,
    maxInFlight: 64,
    strictNonce: false,
  };
  const configured = { profile, reader: chain, sender: chain };
  const registry: ChainRegistry = {
    all: [configured],
    find: (id) => (id === chain.chainId ? configured : undefined),
  };
  return registry;
}

it('a submitter starts at the latest count, with what a pool holds above it in quarantine', async () => {
  const chain = new FakeChain({ finalityDepth: 1 });
  chain.startAt(ADDRESS, 7);
  chain.mine(3);
  const next = { from: ADDRESS, nonce: 7, payload: 'pooled', feePerGas: 1 };
  await chain.send(chain.sign(next).rawTx);
  const baseline = await new ChainBaseline(registryOf(chain), QUARANTINE).resolve(submitter);
  expect(baseline).toMatchObject({
    startNonce: 7,
    pendingCount: 8,
    chainLatestCount: 7,
    chainFinalizedCount: 7,
    genesisHash: await chain.genesisHash(),
  });
});

it('I-39: the chain decides over a start nonce that a caller believes in', async () => {
  const chain = new FakeChain();
  chain.startAt(ADDRESS, 9);
  const source = new ChainBaseline(registryOf(chain), QUARANTINE);
  expect((await source.resolve(submitter, 2 as Nonce)).startNonce).toBe(9);
});

it('nothing counts as final where the finality tag does not move', async () => {
  const chain = new FakeChain();
  for (const tag of ['finalized', 'none'] as const) {
    const baseline = await new ChainBaseline(registryOf(chain, tag), QUARANTINE).resolve(submitter);
    expect(baseline.chainFinalizedCount).toBeNull();
  }
});

it('a chain that does not answer is NONCE_CHAIN_UNREACHABLE, never a guess', async () => {
  const chain = new FakeChain();
  chain.setAway(true);
  await expect(
    new ChainBaseline(registryOf(chain), QUARANTINE).resolve(submitter, 0 as Nonce),
  ).rejects.toMatchObject({ code: 'NONCE_CHAIN_UNREACHABLE' });
});

describe('without a configuration of its chain', () => {
  const elsewhere = parseSubmitter({ chainId: 5, address: ADDRESS });

  it('a submitter starts at its start nonce, or at 0 when no chain is configured at all', async () => {
    const source = new ChainBaseline(NO_CHAINS, QUARANTINE);
    expect((await source.resolve(elsewhere)).startNonce).toBe(0);
    const given = await source.resolve(elsewhere, 12 as Nonce);
    expect(given).toMatchObject({ startNonce: 12, pendingCount: 12, chainLatestCount: null });
  });

  it('a chain id that is more likely a mistake is refused, unless a start nonce is given', async () => {
    const source = new ChainBaseline(registryOf(new FakeChain()), QUARANTINE);
    await expect(source.resolve(elsewhere)).rejects.toMatchObject({ code: 'NONCE_CHAIN_UNKNOWN' });
    expect((await source.resolve(elsewhere, 3 as Nonce)).startNonce).toBe(3);
  });
});
