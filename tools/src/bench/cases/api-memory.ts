import { readFileSync } from 'node:fs';
import type { LastingMode } from '@noncekit/nonce-core/domain';
import type { BenchCase, Fact } from '../bench-case';
import type { BenchStores } from '../bench-stores';
import { startApi, type ApiNode } from '../http-node';
import { submitterAt } from '../submitters';

const SUBMITTERS_LONG = 100_000;
const SUBMITTERS_SHORT = 5_000;
const CALLERS = 64;
const MODES: readonly LastingMode[] = ['RELIABLE', 'PERFORMANCE'];

/** What a process keeps of submitters that it has served once. */
export const apiMemory: BenchCase = {
  name: 'api-memory',
  title: 'Memory of the API process after one allocation of each submitter',
  needs: 'redis',
  notes: [
    `Resident set as the system tells it, without asking for a collection of garbage. ${SUBMITTERS_LONG.toLocaleString('en-US')} submitters with --long, else ${SUBMITTERS_SHORT.toLocaleString('en-US')}.`,
  ],
  open: (stores, { long }) =>
    Promise.resolve({
      contenders: [],
      comparisons: [],
      async facts() {
        const submitters = long ? SUBMITTERS_LONG : SUBMITTERS_SHORT;
        const facts: Fact[] = [];
        for (const mode of MODES) facts.push(...(await factsOf(stores, { mode, submitters })));
        return facts;
      },
      close: () => Promise.resolve(),
    }),
};

async function factsOf(
  stores: BenchStores,
  { mode, submitters }: { readonly mode: LastingMode; readonly submitters: number },
): Promise<readonly Fact[]> {
  const api = await startApi({
    databaseUrl: await stores.database(),
    redis: { url: stores.redisUrl ?? '', mode },
  });
  const fact = (when: string, target: string): Fact => ({
    ...{ label: `${mode}, ${when}`, value: residentMebibytes(api.pid), target },
    unit: 'MiB',
  });
  try {
    const before = fact('ready', '–');
    await serveEach(api, submitters);
    return [before, fact(`${submitters.toLocaleString('en-US')} submitters`, '≤ 250')];
  } finally {
    await api.stop();
    await stores.flushRedis();
  }
}

async function serveEach(api: ApiNode, submitters: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < submitters) {
      next += 1;
      const answer = await fetch(`${api.url}/v1/submitters/${submitterAt(next - 1)}/allocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...api.headers },
        body: '{}',
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`the API answered ${String(answer.status)}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, work));
}

function residentMebibytes(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return Number(kibibytes) / 1_024;
}
