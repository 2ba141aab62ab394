import type { BenchCase } from '../bench-case';
import { RawAllocation } from '../contenders/raw-allocation';
import { generateLoad } from '../generate-load';
import { openNonces } from '../open-nonces';
import { submitterAt } from '../submitters';

const ENGINE = 'noncekit, reliable';
const RAW = 'raw function call';

/** Nobody to share a statement with: what gathering costs somebody who is alone. */
export const loneCaller: BenchCase = {
  name: 'lone',
  title: 'One caller',
  async open(stores) {
    const databaseUrl = await stores.database();
    const node = await openNonces({ databaseUrl });
    const raw = new RawAllocation(databaseUrl);
    const [ours, rawOnly] = [submitterAt(0), submitterAt(1)];
    await node.nonces.allocate(rawOnly);
    return {
      contenders: [
        {
          name: ENGINE,
          run: (durationMs) =>
            generateLoad({ callers: 1, durationMs }, () => node.nonces.allocate(ours)),
        },
        {
          name: RAW,
          run: (durationMs) =>
            generateLoad({ callers: 1, durationMs }, () => raw.allocateAlone(rawOnly)),
        },
      ],
      comparisons: [
        { label: 'median latency', of: ENGINE, to: RAW, by: 'p50Ms', target: '≤ 1.15' },
        { label: 'p99 latency', of: ENGINE, to: RAW, by: 'p99Ms', target: '–' },
      ],
      async close() {
        await Promise.all([node.close(), raw.close()]);
      },
    };
  },
};
