import type { AllocatedFact, Ending, Fact, History } from './history';

const STORIES_SHOWN = 5;

interface Place {
  readonly nonce: number;
  readonly submitter: string;
}

/** Everything that happened to the nonces that these sentences name, for who has to find out why. */
export function tellStories(
  violations: readonly string[],
  history: History,
  ending: Ending,
): string {
  const named = violations.flatMap((sentence) => [
    ...noncesNamedBy(sentence),
    ...noncesOfOperation(sentence, history),
  ]);
  const unrests = gapsOf(ending);
  return [...named, ...unrests]
    .slice(0, STORIES_SHOWN)
    .map(({ nonce, submitter }) => storyOf(nonce, submitter, { history, ending }))
    .join('\n\n');
}

function noncesNamedBy(sentence: string): readonly Place[] {
  const [, nonce, submitter] = /nonce (\d+) of (eip155:\d+:0x[0-9a-f]+)/.exec(sentence) ?? [];
  return nonce === undefined || submitter === undefined
    ? []
    : [{ nonce: Number(nonce), submitter }];
}

function noncesOfOperation(sentence: string, history: History): readonly Place[] {
  const [, operation, submitter] =
    /operation (\S+) of (eip155:\d+:0x[0-9a-f]+)/.exec(sentence) ?? [];
  return history.filter(
    (fact) =>
      fact.kind === 'allocated' && fact.operation === operation && fact.submitter === submitter,
  ) as readonly AllocatedFact[];
}

function gapsOf(ending: Ending): readonly Place[] {
  return ending.rows.filter(({ stage }) => ['GRANTED', 'REUSABLE', 'QUARANTINED'].includes(stage));
}

function storyOf(
  nonce: number,
  submitter: string,
  { history, ending }: { readonly history: History; readonly ending: Ending },
): string {
  const facts = history.filter(
    (fact) => 'nonce' in fact && fact.nonce === nonce && fact.submitter === submitter,
  );
  const nodes = new Set(facts.flatMap((fact) => ('node' in fact ? [fact.node] : [])));
  const deaths = history.filter((fact) => fact.kind === 'died' && nodes.has(fact.node));
  const lines = [...facts, ...deaths].sort((a, b) => timeOf(a) - timeOf(b)).map(lineOf);
  const rows = ending.rows.filter((row) => row.nonce === nonce && row.submitter === submitter);
  const earlier = ending.earlier.filter(
    (grant) => grant.nonce === nonce && grant.submitter === submitter,
  );
  const end = [...rows, ...earlier.map((grant) => ({ ended: grant.token, hashes: grant.hashes }))];
  return [
    `nonce ${nonce} of ${submitter}`,
    ...lines,
    ...end.map((row) => JSON.stringify(row)),
  ].join('\n  ');
}

function timeOf(fact: Fact): number {
  if (fact.kind === 'mined') return Infinity;
  return 'askedUs' in fact ? fact.askedUs : fact.atUs;
}

function lineOf(fact: Fact): string {
  const { kind, ...rest } = fact;
  return `${kind} ${JSON.stringify(rest)}`;
}
