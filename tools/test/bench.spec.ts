import { commandOf, readBenchOptions } from '../src/bench/bench-options';
import { formatSpread } from '../src/bench/format-table';
import { generateLoad } from '../src/bench/generate-load';
import { markdownReport, type BenchReport } from '../src/bench/report';
import { ofAllNodes, percentile, spreadOf, toSample } from '../src/bench/statistics';

describe('the statistics of the benchmarks', () => {
  it('take as percentile the smallest value that enough others do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile([7], 0.5)).toBe(7);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('sort latencies as numbers, in whatever order they came', () => {
    expect(toSample([10, 9, 100, 1], 2_000)).toEqual({
      calls: 4,
      elapsedMs: 2_000,
      perSecond: 2,
      p50Ms: 9,
      p99Ms: 100,
    });
  });

  it('name the middle and the extremes of the rounds', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });

  it('add the rates of nodes and let the slowest one speak for the latency', () => {
    const fast = toSample([1, 1, 1, 1], 1_000);
    const slow = toSample([8, 8], 1_000);
    expect(ofAllNodes([fast, slow])).toMatchObject({ perSecond: 6, p50Ms: 8, p99Ms: 8, calls: 6 });
  });
});

describe('the load of the benchmarks', () => {
  it('keeps every caller waiting for its own answer and counts every call', async () => {
    let running = 0;
    let most = 0;
    const sample = await generateLoad(
      { callers: 3, durationMs: 60_000, maxCalls: 30 },
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
      },
    );
    expect(sample.calls).toBe(30);
    expect(most).toBe(3);
    expect(sample.p99Ms).toBeGreaterThanOrEqual(sample.p50Ms);
  });

  it('ends with the error of the first call that fails', async () => {
    const refused = generateLoad({ callers: 2, durationMs: 60_000 }, () =>
      Promise.reject(new Error('refused')),
    );
    await expect(refused).rejects.toThrow('refused');
  });
});

describe('the options of the benchmarks', () => {
  const read = (line: string) => readBenchOptions(line.split(' ').filter(Boolean), ['hot', 'lone']);

  it('run everything for a few seconds when nothing is said', () => {
    expect(read('')).toMatchObject({ names: [], rounds: 5, seconds: 3, long: false });
    expect(read('lone --rounds 3 --json out.json --long')).toMatchObject({
      names: ['lone'],
      rounds: 3,
      jsonFile: 'out.json',
      long: true,
    });
  });

  it('are repeated by the command on the page, which names no file', () => {
    expect(commandOf(read(''))).toBe('npm run bench');
    expect(commandOf(read('lone --seconds 0.5 --json out.json --long'))).toBe(
      'npm run bench -- lone --seconds 0.5 --long',
    );
  });

  it.each([
    ['warm', 'unknown warm'],
    ['--rounds 2', 'from 3'],
    ['--seconds none', 'above 0'],
    ['--json', 'needs a value'],
  ])('refuse %j', (line, message) => {
    expect(() => read(line)).toThrow(message);
  });
});

describe('the report of the benchmarks', () => {
  it('puts ratios first, says what each contender promises, and names what was left out', () => {
    const one = { median: 1, min: 1, max: 1 };
    const report: BenchReport = {
      command: 'npm run bench',
      machine: {
        date: '2026-11-21',
        cores: 2,
        platform: 'linux x64',
        node: '20',
        postgres: '18',
        fsync: 'on',
        redis: '7',
      },
      rounds: 3,
      seconds: 1,
      missing: [{ name: 'chain', reason: 'there is no chain' }],
      cases: [
        {
          name: 'hot',
          title: 'Hot',
          notes: [],
          facts: [],
          contenders: [
            {
              name: 'ours',
              guarantees: { crashSafe: 'yes', severalProcesses: 'yes', reuse: 'lowest first' },
              perSecond: { median: 1_234, min: 1_000, max: 2_000 },
              p50Ms: one,
              p99Ms: one,
            },
          ],
          comparisons: [
            {
              label: 'to raw',
              of: 'ours',
              to: 'raw',
              by: 'perSecond',
              target: '≥ 0.8',
              ratio: one,
            },
          ],
        },
      ],
    };
    const page = markdownReport(report);
    expect(page).toContain('| hot | to raw | calls/s | 1.00 [1.00–1.00] | ≥ 0.8 |');
    expect(page).toContain('| ours | yes | yes | lowest first |');
    expect(page).toContain('Not in this run: chain, because there is no chain.');
    expect(page.indexOf('## Ratios')).toBeLessThan(page.indexOf('## Hot'));
  });

  it('prints as many digits as mean something', () => {
    expect(formatSpread({ median: 1_234.5, min: 12.34, max: 1.234 })).toBe('1,235 [12.3–1.23]');
  });
});
