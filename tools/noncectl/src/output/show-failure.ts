import type { Failure } from '../failure';
import { checkLines } from './show-checks';
import type { Terminal } from './terminal';

/** Code, what happened, and how it is mended; with `--json` the same as one document. */
export function showFailure(terminal: Terminal, failure: Failure): void {
  const { code, detail, fix, context, checks } = failure.facts;
  if (terminal.json) {
    const error = { code, detail, fix, ...(context === undefined ? {} : { context }) };
    terminal.err(JSON.stringify({ error }, null, 2));
    return;
  }
  const { style } = terminal;
  terminal.err(`${style.bad(code)}: ${detail}`);
  for (const line of checkLines(checks ?? [], style)) terminal.err(`  ${line}`);
  terminal.err(`  ${style.strong('fix:')} ${fix}`);
}
