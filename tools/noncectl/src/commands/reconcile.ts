import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../exit-codes';
import type { Reconciliation, SubmitterReconciliation } from '../http/answers';
import type { ApiClient } from '../http/api-client';
import { show, type Terminal } from '../output/terminal';

const LOOK_EVERY_MS = 200;
const BAR_WIDTH = 20;
const PERCENT = 100;

export interface ReconcileOptions {
  readonly all?: boolean;
  readonly hot?: boolean;
  readonly submitter?: string;
  readonly reason: string;
  readonly dryRun?: boolean;
}

/**
 * Has everything, what is hot, or one submitter compared with witnesses and chains, and shows how far
 * that is.
 */
export async function reconcile(
  api: ApiClient,
  terminal: Terminal,
  { all, hot, submitter, reason, dryRun = false }: ReconcileOptions,
): Promise<ExitCode> {
  if ([all === true, hot === true, submitter !== undefined].filter(Boolean).length !== 1) {
    terminal.err('Say which: --all, --hot or --submitter.');
    return EXIT.usage;
  }
  if (submitter !== undefined) {
    const path = `/v1/submitters/${encodeURIComponent(submitter)}/reconcile`;
    const body = { reason, dryRun };
    const one = await api.call<SubmitterReconciliation>(path, { method: 'POST', body });
    show(terminal, one, () => linesOfOne(one, terminal));
    return EXIT.ok;
  }
  const path = '/v1/ops/reconcile';
  const body = { scope: all === true ? 'all' : 'hot', reason, dryRun };
  let one = await api.call<Reconciliation>(path, { method: 'POST', body });
  let told = '';
  while (one.state === 'running') {
    const bar = barOf(one);
    if (bar !== told) terminal.err(bar);
    told = bar;
    await sleep(LOOK_EVERY_MS);
    one = await api.call<Reconciliation>(`${path}/${one.id}`);
  }
  show(terminal, one, () => lines(one, terminal));
  return one.state === 'done' && one.counts.failed === 0 ? EXIT.ok : EXIT.problemsFound;
}

function barOf({ counts, total }: Reconciliation): string {
  const part = total === 0 ? 0 : Math.min(1, counts.submitters / total);
  const filled = Math.round(part * BAR_WIDTH);
  const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '-');
  return `[${bar}] ${Math.floor(part * PERCENT)} %  ${counts.submitters} of ${total} submitters`;
}

function linesOfOne(one: SubmitterReconciliation, { style }: Terminal): readonly string[] {
  const { submitter, dryRun, behindWitness, chainLatest } = one;
  const verb = dryRun ? 'looked at, nothing was changed' : 'reconciled';
  const witness = behindWitness ? style.bad('the database is behind it') : 'nothing is missing';
  return [
    style.good(`${submitter} ${verb}`),
    `witness     ${witness}`,
    `chain       floor ${chainLatest}, ${one.foreignUse} nonces used by others`,
    `rows        ${one.finalized} final, ${one.fenced} fenced, ${one.stuck} need a decision`,
  ];
}

function lines(one: Reconciliation, { style }: Terminal): readonly string[] {
  const { counts, problems, dryRun } = one;
  const verb = dryRun ? 'looked at, nothing was changed' : 'reconciled';
  const head = `${counts.submitters} submitters ${verb} (${one.state})`;
  return [
    counts.failed === 0 ? style.good(head) : head,
    `witnesses   ${counts.behind} behind, ${counts.unknown} unknown to the database`,
    `chain       ${counts.raised} floors behind, ${counts.foreignUse} nonces used by others`,
    `rows        ${counts.finalized} final, ${counts.fenced} fenced, ${counts.stuck} need a decision`,
    `left out    ${counts.failed} failed, ${counts.unconfigured} on chains that are not configured`,
    ...problems.map(({ submitter, code }) => style.bad(`${submitter} ${code}`)),
  ];
}
