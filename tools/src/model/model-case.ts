import type { Claim } from './claims';

/** One search: either a proof within bounds, or the counterexample that appears without one guard. */
export interface ModelCase {
  /** A sentence that holds when the search finds what is expected. */
  readonly title: string;
  readonly model: Claim['model'];
  readonly defines: readonly string[];
  readonly panOptions: readonly string[];
  readonly expected: 'holds' | 'broken';
}

/** The proofs first; each guard is removed within the bounds in which its claim is proven. */
export function casesOf(claims: readonly Claim[]): readonly ModelCase[] {
  return [...claims.map(proofOf), ...claims.flatMap(ablationsOf)];
}

function proofOf({ name, model, defines, panOptions }: Claim): ModelCase {
  return {
    title: `${name} issues no nonce twice`,
    model,
    defines,
    panOptions,
    expected: 'holds',
  };
}

function ablationsOf(claim: Claim): readonly ModelCase[] {
  return claim.guards.map((guard) => ({
    ...proofOf(claim),
    title: `${claim.name} without ${guard.name} ${guard.breaks ?? 'issues a nonce twice'}`,
    defines: [...claim.defines, guard.removedBy],
    expected: 'broken',
  }));
}
