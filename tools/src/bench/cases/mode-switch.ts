import { setTimeout as delay } from 'node:timers/promises';
import type { EngineMode } from '@noncekit/nonce-core/domain';
import type { ModeSwitching } from '@noncekit/nonce-core/ports';
import { pollUntil } from '../../stack/poll-until';
import type { BenchCase, Fact } from '../bench-case';
import { failuresOf } from '../failures';
import { startPacedNodes, type PacedNodes } from '../paced-nodes';
import { openNonces, type NodeSettings } from '../open-nonces';
import { openWorker } from '../open-worker';
import { clockMs, type CallRecord } from '../paced-load';
import { percentile } from '../statistics';

/** The first one each way meets code and plans that were never run. */
const FIRST_SWITCHES = 2;
const SWITCHES = 40;
const NODES = 2;
/** For each node: both together just above the figure to reach. */
const CALLERS_PER_SECOND = 515;
const SUBMITTERS = 100;
/** Until callers are served as before, so that the next switch meets a load that is in step. */
const BETWEEN_MS = 1_000;
const PHASES_TIMEOUT_MS = 40_000;
const KEY_PREFIX = 'bench-switch';

interface Switched {
  readonly to: EngineMode;
  readonly orderedAtMs: number;
  readonly takenMs: number;
}

interface Met {
  readonly to: EngineMode;
  /** Ascending. */
  readonly waits: readonly number[];
}

/** What callers notice of a switch. */
export const modeSwitch: BenchCase = {
  name: 'mode-switch',
  title: `Mode switch: ${String(SWITCHES)} switches under ${String(NODES * CALLERS_PER_SECOND)} callers a second`,
  needs: 'redis',
  notes: [
    `Callers come to ${String(NODES)} processes at a fixed pace, whether those before them were served or not; each takes a nonce of one of ${String(SUBMITTERS)} submitters and settles it. The mode goes from RELIABLE to PERFORMANCE and back. A pause is the longest wait of all calls that were waiting at a switch or came within ${String(BETWEEN_MS)} ms after it; the first switch each way is shown by itself.`,
  ],
  async open(stores) {
    const redisUrl = stores.redisUrl ?? '';
    const databaseUrl = await stores.database();
    const settings: NodeSettings = {
      ...{ databaseUrl, redisUrl, mode: 'RELIABLE' },
      performance: { intents: 'strict', keyPrefix: KEY_PREFIX },
    };
    const operator = await openNonces(settings);
    const worker = await openWorker({ databaseUrl, redisUrl, keyPrefix: KEY_PREFIX });
    const nodes = await startPacedNodes({ ...settings, submitters: SUBMITTERS }, NODES);
    return {
      contenders: [],
      comparisons: [],
      facts: () => measure(nodes, operator.switching),
      async close() {
        await nodes.close();
        await Promise.all([worker.close(), operator.close()]);
      },
    };
  },
};

async function measure(nodes: PacedNodes, switching: ModeSwitching): Promise<readonly Fact[]> {
  nodes.pace({ callersPerSecond: CALLERS_PER_SECOND });
  const startedAtMs = clockMs();
  const switched: Switched[] = [];
  await delay(BETWEEN_MS);
  while (switched.length < FIRST_SWITCHES + SWITCHES) {
    switched.push(await change(switching, switched.length % 2 === 0 ? 'PERFORMANCE' : 'RELIABLE'));
    await delay(BETWEEN_MS);
  }
  const elapsedMs = clockMs() - startedAtMs;
  return factsOf(await nodes.stopPace(), { switched, elapsedMs });
}

/** Until its last phase is over: two switches at a time are refused anyway. */
async function change(switching: ModeSwitching, to: EngineMode): Promise<Switched> {
  const orderedAtMs = clockMs();
  await switching.switchTo({ to, actor: 'benchmark', reason: 'what callers notice of it' });
  await pollUntil(async () => (await switching.history(1))[0]?.state !== 'running', {
    timeoutMs: PHASES_TIMEOUT_MS,
    describe: 'the phases of a switch',
  });
  return { to, orderedAtMs, takenMs: clockMs() - orderedAtMs };
}

function factsOf(
  records: readonly CallRecord[],
  { switched, elapsedMs }: { readonly switched: readonly Switched[]; readonly elapsedMs: number },
): readonly Fact[] {
  const all = switched.map(({ to, orderedAtMs }) => ({
    to,
    waits: waitsAround(records, orderedAtMs),
  }));
  const met = all.slice(FIRST_SWITCHES);
  const longest = ({ waits }: Met) => waits.at(-1) ?? 0;
  const pausesTo = (mode: EngineMode) => sorted(met.filter(({ to }) => to === mode).map(longest));
  const pauses = sorted(met.map(longest));
  const granted = records.filter(({ engine }) => engine !== null).length;
  const ms = (label: string, value: number, target = '–'): Fact => ({
    ...{ label, value, target },
    unit: 'ms',
  });
  return [
    { label: 'allocations', value: (granted / elapsedMs) * 1_000, unit: '/s', target: '≥ 1,000' },
    ms('pause, p50 of the switches', percentile(pauses, 0.5)),
    ms('pause, p99 of the switches', percentile(pauses, 0.99), '≤ 250'),
    ms(
      'pause of the first switch each way, longer one',
      Math.max(...all.slice(0, FIRST_SWITCHES).map(longest)),
    ),
    ms('pause to PERFORMANCE, p50', percentile(pausesTo('PERFORMANCE'), 0.5)),
    ms('pause to RELIABLE, p50', percentile(pausesTo('RELIABLE'), 0.5)),
    ms('calls around a switch, p99', percentile(sorted(met.flatMap(({ waits }) => waits)), 0.99)),
    ms('all calls, p99', percentile(sorted(records.map(({ waitedMs }) => waitedMs)), 0.99)),
    ms(
      'all phases of a switch, p50',
      percentile(sorted(switched.map(({ takenMs }) => takenMs)), 0.5),
    ),
    ...failuresOf(records, { of: 'All switches', target: '0' }),
  ];
}

function waitsAround(records: readonly CallRecord[], atMs: number): readonly number[] {
  return sorted(
    records
      .filter(
        ({ beganAtMs, waitedMs }) => beganAtMs < atMs + BETWEEN_MS && beganAtMs + waitedMs >= atMs,
      )
      .map(({ waitedMs }) => waitedMs),
  );
}

function sorted(values: readonly number[]): readonly number[] {
  return [...values].sort((a, b) => a - b);
}
