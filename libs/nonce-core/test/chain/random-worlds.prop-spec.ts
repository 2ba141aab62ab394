import type { SendFate } from '../../../chain-adapter/test/support/scripted-provider';
import { CLIENTS } from '../../../chain-adapter/test/support/client-words';
import type { ChainWorld } from './chain-world';
import { judge } from './judge';
import { WorldHost } from './world-host';

const GWEI = 10n ** 9n;
const STEPS = 18;
/** So that there is something at stake among the faults. */
const STEPS_PER_PAYMENT = 3;
const FATES: readonly SendFate[] = ['reply-lost', 'not-reached', 'rate-limited', 'internal-error'];

/** Small, seeded, and good enough to choose among faults (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Fault = (world: ChainWorld, pick: (below: number) => number) => unknown;

/** More of what is usual than of what is not; each is one step of a world. */
const FAULTS: Readonly<Record<string, Fault>> = {
  pay: (world, pick) => world.pay(world.payers[pick(world.payers.length)]),
  payThrice: (world) => world.payMany(3),
  mine: (world, pick) => world.chain.mine(1 + pick(3)),
  round: (world) => world.round(),
  mineAndRound: (world) => {
    world.chain.mine();
    return world.round();
  },
  reorg: (world, pick) => {
    const room = world.chain.head.number - world.chain.finalized;
    const depth = Math.min(1 + pick(6), room);
    if (depth > 0) world.chain.reorg(depth, { reinject: pick(2) === 0 });
  },
  drop: (world) => world.chain.drop(),
  spoil: (world, pick) => {
    const provider = world.providers[pick(world.providers.length)];
    provider?.fates.push(FATES[pick(FATES.length)] as SendFate);
  },
  speak: (world, pick) => {
    world.provider.client = CLIENTS[pick(CLIENTS.length)] ?? 'geth';
  },
  lag: (world, pick) => {
    world.provider.lagBlocks = pick(4);
  },
  lead: (world, pick) => {
    world.provider.countsAhead = pick(3);
  },
  spike: (world, pick) => {
    world.chain.baseFee = (pick(2) === 0 ? 1n : 100n) * GWEI;
  },
  die: (world) => world.dieBeforeSending().catch(() => undefined),
  stranger: async (world, pick) => {
    const { count } = world.chain.accountAt(world.payer.address);
    await world.payElsewhere(count + pick(2));
  },
};

describe('random worlds', () => {
  let host: WorldHost;

  beforeAll(async () => {
    host = await WorldHost.open();
  });

  afterAll(() => host.close());

  const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

  it.each(SEEDS)(
    'S3, S4, S5, S6, S7, S12, L1, L4: the judge finds nothing wrong in world %i',
    async (seed) => {
      const pick = random(seed);
      const world = await host.world({
        ...{ payers: 2, providers: 3, burns: seed % 2 === 0, bumps: seed % 3 === 0 },
      });
      const names = Object.keys(FAULTS);
      const done: string[] = [];
      for (let step = 0; step < STEPS; step += 1) {
        const chance = names[pick(names.length)] ?? 'pay';
        const name = step % STEPS_PER_PAYMENT === 0 ? 'pay' : chance;
        done.push(name);
        await FAULTS[name]?.(world, pick);
      }
      const { broken } = await judge(world).catch((error: unknown) => ({
        broken: [String(error)],
      }));
      expect({ seed, broken, done }).toEqual({ seed, broken: [], done });
    },
  );
});
