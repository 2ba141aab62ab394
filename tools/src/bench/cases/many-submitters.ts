import type { BenchCase } from '../bench-case';
import { RawAllocation } from '../contenders/raw-allocation';
import { generateLoad } from '../generate-load';
import { openNonces } from '../open-nonces';
import { openSubmitters } from '../open-submitters';
import { anySubmitter } from '../submitters';

const CALLERS = 64;
const SUBMITTERS = 1_000;
const ENGINE = 'noncekit, reliable';
const RAW = 'raw grouped statement';

/** Callers spread over many accounts: one statement serves all of them. */
export const manySubmitters: BenchCase = {
  name: 'many',
  title: '1,000 submitters, 64 callers',
  async open(stores) {
    const databaseUrl = await stores.database();
    const node = await openNonces({ databaseUrl });
    const raw = new RawAllocation(databaseUrl);
    await openSubmitters(node.nonces, SUBMITTERS);
    return {
      contenders: [
        {
          name: ENGINE,
          run: (durationMs) =>
            generateLoad({ callers: CALLERS, durationMs }, () =>
              node.nonces.allocate(anySubmitter(SUBMITTERS)),
            ),
        },
        {
          name: RAW,
          run: (durationMs) =>
            generateLoad({ callers: CALLERS, durationMs }, () =>
              raw.allocate(anySubmitter(SUBMITTERS)),
            ),
        },
      ],
      comparisons: [
        { label: 'to the raw statement', of: ENGINE, to: RAW, by: 'perSecond', target: '≥ 0.8' },
      ],
      async close() {
        await Promise.all([node.close(), raw.close()]);
      },
    };
  },
};
