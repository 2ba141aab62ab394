import { loneCaller } from '../src/bench/cases/lone-caller';
import { BenchStores } from '../src/bench/bench-stores';
import { runCase } from '../src/bench/run-case';
import { Stack } from '../src/stack/stack';
import { sharedServers } from './jest/shared-servers';

describe('a benchmark case', () => {
  it('runs its contenders in turn on a database of its own and ends what it opened', async () => {
    const stack = new Stack({
      databaseUrl: sharedServers().adminUrl,
      redisUrl: undefined,
      chain: undefined,
      missing: [],
      servers: {},
    });
    const said: string[] = [];
    const result = await runCase(loneCaller, new BenchStores(stack), {
      settings: { rounds: 2, durationMs: 100, warmUpMs: 0, long: false },
      say: (line) => said.push(line),
    });
    const rounds = said.filter((line) => line.includes('round'));
    const names = ['noncekit', 'raw function', 'raw function', 'noncekit'];
    expect(rounds).toHaveLength(names.length);
    names.forEach((name, at) => expect(rounds[at]).toContain(`, ${name}`));
    expect(result.contenders).toHaveLength(2);
    for (const { perSecond } of result.contenders) expect(perSecond.min).toBeGreaterThan(0);
    expect(result.comparisons[0]?.ratio.median).toBeGreaterThan(0);
  });
});
