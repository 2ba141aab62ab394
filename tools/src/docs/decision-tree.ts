/** One combination of yes-or-no facts and what was decided for it. */
export interface Decided<Fact extends string> {
  readonly facts: Readonly<Record<Fact, boolean>>;
  readonly verdict: string;
}

export interface Leaf<Fact extends string> {
  readonly conditions: readonly { readonly fact: Fact; readonly holds: boolean }[];
  readonly verdict: string;
}

/** The fewest conditions that tell the verdicts apart; ties go to the earlier fact. */
export function smallestTree<Fact extends string>(
  decided: readonly Decided<Fact>[],
  facts: readonly Fact[],
): readonly Leaf<Fact>[] {
  const [first] = decided;
  if (first === undefined) return [];
  if (decided.every((one) => one.verdict === first.verdict)) {
    return [{ conditions: [], verdict: first.verdict }];
  }
  let best: readonly Leaf<Fact>[] | null = null;
  for (const fact of facts) {
    const halves = [true, false].map((holds) => decided.filter((one) => one.facts[fact] === holds));
    if (halves.some((half) => half.length === 0)) continue;
    const rest = facts.filter((other) => other !== fact);
    const leaves = halves.flatMap((half, index) =>
      smallestTree(half, rest).map(({ conditions, verdict }) => ({
        conditions: [{ fact, holds: index === 0 }, ...conditions],
        verdict,
      })),
    );
    if (best === null || leaves.length < best.length) best = leaves;
  }
  if (best === null) throw new Error('two verdicts for the same facts');
  return best;
}
