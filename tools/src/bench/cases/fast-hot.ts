import type { BenchCase, Comparison, Contender } from '../bench-case';
import { openFastNode, openRawFast } from '../fast-nodes';
import { generateLoad } from '../generate-load';
import { GUARANTEES } from '../guarantees';
import { openNonces } from '../open-nonces';
import { submitterAt } from '../submitters';

const CALLERS = 64;
const STRICT = 'noncekit, performance, strict intents';
const RELAXED = 'noncekit, performance, relaxed intents';
const RELIABLE = 'noncekit, reliable';
const RAW = 'raw EVALSHA of the same script';

const COMPARISONS: readonly Comparison[] = [
  { label: 'to the raw script', of: STRICT, to: RAW, by: 'perSecond', target: '≥ 0.85' },
  { label: 'relaxed to the raw script', of: RELAXED, to: RAW, by: 'perSecond', target: '≥ 0.85' },
  { label: 'to the reliable engine', of: STRICT, to: RELIABLE, by: 'perSecond', target: '–' },
];

/** Redis grants: what the library adds to its own script, and what it gains by sharing runs of it. */
export const fastHot: BenchCase = {
  name: 'fast-hot',
  title: 'Performance mode: one hot submitter, 64 callers',
  needs: 'redis',
  notes: [
    'Handlers declare what they send, so that under strict intents their grants are not written to Postgres before the intent. Callers that ask at the same time share one run of the script; the raw caller sends one run for each. Events stay in the stream: draining it is a case of its own.',
  ],
  async open(stores) {
    const strict = await openFastNode(stores, 'strict');
    const relaxed = await openFastNode(stores, 'relaxed');
    const reliable = await openNonces({ databaseUrl: await stores.database() });
    const raw = await openRawFast(stores, strict);
    const account = submitterAt(0);
    const { tidy, script } = raw;
    const { performanceStrict, performanceRelaxed } = GUARANTEES;
    const byReliable = load(() => reliable.nonces.allocate(account));
    const byStrict = load(() => strict.nonces.allocate(account));
    const byRelaxed = load(() => relaxed.nonces.allocate(account));
    const byScript = load(() => script.allocate());
    return {
      contenders: [
        { name: STRICT, guarantees: performanceStrict, run: byStrict, tidy },
        { name: RAW, guarantees: performanceStrict, run: byScript, tidy },
        { name: RELAXED, guarantees: performanceRelaxed, run: byRelaxed, tidy },
        { name: RELIABLE, guarantees: GUARANTEES.reliable, run: byReliable },
      ],
      comparisons: COMPARISONS,
      async close() {
        await Promise.all([strict.close(), relaxed.close(), reliable.close()]);
        await raw.close();
      },
    };
  },
};

function load(call: () => Promise<unknown>): Contender['run'] {
  return (durationMs) => generateLoad({ callers: CALLERS, durationMs }, call);
}
