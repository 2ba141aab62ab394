import fc from 'fast-check';
import {
  ALLOCATION_STAGES,
  INITIAL_STAGES,
  STATUS_OF,
  TERMINAL_STAGES,
  TRANSITIONS,
  canMove,
  stagesOf,
  type AllocationStage,
} from '../../src/domain/allocation-state';
import {
  HOLDER_COMMANDS,
  decideHolderCommand,
  type HolderFacts,
  type HolderVerdict,
} from '../../src/domain/holder-command';

const stage = fc.constantFrom(...ALLOCATION_STAGES);
const command = fc.constantFrom(...HOLDER_COMMANDS);

/** Facts that can occur together: a known hash is a named one, and one that is recorded. */
const facts: fc.Arbitrary<HolderFacts> = fc
  .record({
    stage,
    hasHash: fc.boolean(),
    hashKnown: fc.boolean(),
    anyHash: fc.boolean(),
    followable: fc.boolean(),
    replacement: fc.boolean(),
  })
  .filter((each) => !each.hashKnown || (each.hasHash && each.anyHash));

/** One row as its holder's commands change it, with what may truly be out. */
interface Row {
  readonly stage: AllocationStage;
  readonly hashes: ReadonlySet<number>;
  /** A hash was recorded, or the holder said that it may have sent. */
  readonly exposed: boolean;
}

function apply(row: Row, verdict: HolderVerdict, hash: number | null): Row {
  if (verdict.kind === 'refuse' || verdict.kind === 'same') return row;
  const hashes = hash === null ? row.hashes : new Set([...row.hashes, hash]);
  const to = verdict.kind === 'move' ? verdict.to : row.stage;
  return { stage: to, hashes, exposed: row.exposed || hashes.size > 0 };
}

describe('the table of stages', () => {
  it('S10: no stage follows itself, and the end is the end', () => {
    for (const from of ALLOCATION_STAGES) expect(canMove(from, from)).toBe(false);
    for (const end of TERMINAL_STAGES) expect(TRANSITIONS[end]).toEqual([]);
  });

  it('every stage belongs to one status, and can be reached from where rows begin', () => {
    const statuses = Object.values(STATUS_OF);
    expect(new Set(statuses)).toEqual(new Set(['RESERVED', 'USED', 'RECYCLABLE']));
    expect(stagesOf('RECYCLABLE')).toEqual(['REUSABLE']);
    const reached = new Set<AllocationStage>(INITIAL_STAGES);
    for (const from of reached) for (const to of TRANSITIONS[from]) reached.add(to);
    expect([...reached].sort()).toEqual([...ALLOCATION_STAGES].sort());
  });

  it('S3: a random walk that recorded bytes reaches REUSABLE only through QUARANTINED, whose guard asks for the hashes', () => {
    const walk = fc.array(fc.nat({ max: 6 }), { maxLength: 40 });
    fc.assert(
      fc.property(walk, (choices) => {
        let at: AllocationStage = 'INTENT';
        for (const choice of choices) {
          const next = TRANSITIONS[at] as readonly AllocationStage[];
          const to = next[choice % Math.max(1, next.length)];
          if (to === undefined) return;
          if (to === 'REUSABLE') expect(['GRANTED', 'QUARANTINED']).toContain(at);
          at = to;
        }
      }),
    );
  });
});

describe('the commands of holders', () => {
  it('S10: every verdict moves along the table, in every combination of facts', () => {
    fc.assert(
      fc.property(command, facts, (said, known) => {
        const verdict = decideHolderCommand(said, known);
        if (verdict.kind === 'move') expect(canMove(known.stage, verdict.to)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('S3: no command makes a nonce reusable once a hash is recorded, or when it is a replacement', () => {
    fc.assert(
      fc.property(command, facts, (said, known) => {
        const verdict = decideHolderCommand(said, known);
        // GRANTED rows carry a hash only as replacements, whose earlier holder may have sent.
        const possible = known.stage !== 'GRANTED' || !known.anyHash || known.replacement;
        if (!possible || !(known.anyHash || known.replacement)) return;
        expect(verdict).not.toEqual({ kind: 'move', to: 'REUSABLE' });
      }),
      { numRuns: 2_000 },
    );
  });

  it('S10: a nonce that has ended is never changed by its holder', () => {
    fc.assert(
      fc.property(command, facts, (said, known) => {
        const ended = (TERMINAL_STAGES as readonly AllocationStage[]).includes(known.stage);
        const { kind } = decideHolderCommand(said, known);
        if (ended) expect(['same', 'refuse']).toContain(kind);
      }),
    );
  });

  it('S3: no sequence of commands leads from recorded bytes back to REUSABLE', () => {
    const step = fc.record({ said: command, hash: fc.option(fc.nat({ max: 3 })) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.boolean(),
        fc.boolean(),
        (steps, followable, replacement) => {
          let row: Row = { stage: 'GRANTED', hashes: new Set(), exposed: false };
          for (const { said, hash: named } of steps) {
            const needsHash = said === 'intent' || said === 'submitted';
            const mayName = needsHash || said === 'used';
            const hash = mayName ? (named ?? (needsHash ? 0 : null)) : null;
            const verdict = decideHolderCommand(said, {
              stage: row.stage,
              hasHash: hash !== null,
              hashKnown: hash !== null && row.hashes.has(hash),
              anyHash: row.hashes.size > 0,
              followable,
              replacement,
            });
            row = apply(row, verdict, hash);
            if (row.exposed || replacement) expect(row.stage).not.toBe('REUSABLE');
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('S11: what was said again moves the stage no second time, but for the second step of a late report', () => {
    fc.assert(
      fc.property(command, facts, (said, known) => {
        const first = decideHolderCommand(said, known);
        if (first.kind !== 'move') return;
        const again = decideHolderCommand(said, {
          ...known,
          stage: first.to,
          hashKnown: known.hasHash,
          anyHash: known.anyHash || known.hasHash,
        });
        if (again.kind !== 'move') return;
        // A late report of a hash takes two steps, since a nonce out of hand becomes INTENT first.
        expect(['submitted', 'used']).toContain(said);
        expect(first.to).toBe('INTENT');
        expect(['BROADCAST', 'ASSERTED']).toContain(again.to);
      }),
      { numRuns: 2_000 },
    );
  });
});
