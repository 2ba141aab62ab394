import type { Claim } from './claims';

/** One search: either a proof within bounds, or the duplicate that appears without one guard. */
export interface ModelCase {
  /** A sentence that holds when the search finds what is expected. */
  readonly title: string;
  readonly model: Claim['model'];
  readonly defines: readonly string[];
  readonly panOptions: readonly string[];
  readonly expected: 'no duplicate' | 'duplicate';
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
    expected: 'no duplicate',
  };
}

function ablationsOf(claim: Claim): readonly ModelCase[] {
  return claim.guards.map((guard) => ({
    ...proofOf(claim),
    title: `${claim.name} without ${guard.name} issues a nonce twice`,
    defines: [...claim.defines, guard.removedBy],
    expected: 'duplicate',
  }));
}
