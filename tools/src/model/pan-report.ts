import type { ModelCase } from './model-case';

/** What a search by pan, the program that spin generates, came to. */
export type Verdict =
  | { readonly kind: 'holds'; readonly states: number }
  | { readonly kind: 'broken'; readonly states: number }
  /** Neither: cut off, out of memory, or an error that is no claim. */
  | { readonly kind: 'undecided'; readonly reason: string };

/**
 * What the models assert: that the nonce was not yet granted (relaxed, hand-over) or broadcast
 * (strict), that no drain had ended, and that its epoch was not closed unheard.
 */
const CLAIM =
  /^pan:\d+: assertion violated\s+(?:\((?:granted|bc)\[\w+\]==0\)|!\(\(\(granted>>\w+\)&1\)\)|!\(drained\)|\(\(ve!=cut\)\|\|\(faults!=0\)\))/m;
const OTHER_ERROR = /^pan:\d+: .*$/m;
/** pan says "errors: 0" also when it gave up early; only a full search of all states is a proof. */
const FULL_SEARCH = /^Full statespace search/m;
const CUT_OFF = /^.*(?:not completed|too small|out of memory|MEMLIM).*$/im;

export function readPanReport(output: string): Verdict {
  const states = Number(
    /^\s*(\d+(?:\.\d+e\+\d+)?) states, stored/m.exec(output)?.[1] ?? Number.NaN,
  );
  if (CLAIM.test(output)) return { kind: 'broken', states };
  const problem = OTHER_ERROR.exec(output) ?? CUT_OFF.exec(output);
  if (problem !== null) return { kind: 'undecided', reason: problem[0].trim() };
  const isProof = FULL_SEARCH.test(output) && /errors: 0$/m.test(output) && states > 0;
  if (isProof) return { kind: 'holds', states };
  return { kind: 'undecided', reason: `no full search: ${lastLine(output)}` };
}

/** An ablation that finds nothing is no success: a check that cannot fail shows nothing. */
export function isMet(modelCase: ModelCase, verdict: Verdict): boolean {
  return verdict.kind === modelCase.expected;
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}
