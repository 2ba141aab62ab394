import { EXIT, type ExitCode } from '../exit-codes';
import type { Rebaseline } from '../http/answers';
import type { ApiClient } from '../http/api-client';
import { show, type Terminal } from '../output/terminal';

export interface ResetOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/**
 * Starts a submitter anew on a chain that was reset. Without `--yes` it only says what would be done,
 * because it cannot be taken back.
 */
export async function resetSubmitter(
  api: ApiClient,
  terminal: Terminal,
  { submitter, options }: { readonly submitter: string; readonly options: ResetOptions },
): Promise<ExitCode> {
  const dryRun = options.dryRun === true || options.yes !== true;
  const path = `/v1/submitters/${encodeURIComponent(submitter)}`;
  // The answer names the submitter in full, whichever spelling was typed.
  const { submitter: confirm } = await api.call<{ readonly submitter: string }>(path);
  const answer = await api.call<Rebaseline>(`${path}/reset`, {
    method: 'POST',
    body: { reason: options.reason, ...(dryRun ? { dryRun } : { confirm }) },
  });
  show(terminal, answer, () => lines(answer, terminal));
  if (!dryRun || options.dryRun === true) return EXIT.ok;
  terminal.err('Nothing was changed: repeat with --yes.');
  return EXIT.usage;
}

function lines(answer: Rebaseline, { style }: Terminal): readonly string[] {
  const { submitter, generation, nextNonce, knownGenesis, genesis, kept, ended } = answer;
  const head = `${submitter} starts at nonce ${nextNonce}, generation ${generation}`;
  return [
    answer.done ? style.good(head) : head,
    `genesis ${knownGenesis ?? 'unknown'} -> ${genesis ?? 'unknown'}`,
    `${ended} nonces of the old chain were never exposed; ${kept} may have been sent`,
  ];
}
