import {
  ALLOCATION_STAGES,
  ALLOCATION_STATUSES,
  HOLDER_COMMANDS,
  INITIAL_STAGES,
  STATUS_OF,
  TERMINAL_STAGES,
  TRANSITIONS,
  decideHolderCommand,
  stagesOf,
  type AllocationStage,
  type HolderCommand,
  type HolderFacts,
  type HolderVerdict,
} from '@noncekit/nonce-core';
import { smallestTree, type Decided } from './decision-tree';
import { code, page, table } from './markdown';

type Fact = Exclude<keyof HolderFacts, 'stage'>;

/** How each fact reads when it holds and when it does not. */
const WORDS: Readonly<Record<Fact, readonly [string, string]>> = {
  hashKnown: ['known hash', 'no known hash'],
  hasHash: ['with a hash', 'without a hash'],
  anyHash: ['a hash is recorded', 'no hash is recorded'],
  followable: ['a chain is configured', 'no chain'],
  replacement: ['replacement', 'no replacement'],
};
const FACTS = Object.keys(WORDS) as Fact[];
/** These stages exist only with a recorded hash; the database refuses others. */
const EXPOSED: readonly AllocationStage[] = ['INTENT', 'BROADCAST', 'MINED', 'CONFIRMED'];

/** Diagram, table of moves and what each holder command does in each stage. */
export function stateMachinePage(): string {
  const sources =
    'libs/nonce-core/src/domain/allocation-state.ts` and `libs/nonce-core/src/domain/holder-command.ts';
  const moves = table(
    ['status', 'stage', 'may become'],
    ALLOCATION_STAGES.map((stage) => [
      STATUS_OF[stage],
      stage,
      TRANSITIONS[stage].length === 0 ? 'nothing: the end' : TRANSITIONS[stage].join(', '),
    ]),
  );
  return page('The life of a nonce', sources, [
    'Callers see three statuses; each stage belongs to one of them. The database enforces the same table by trigger, and a test compares the two.',
    diagram(),
    `A row may begin as ${INITIAL_STAGES.join(', ')}. ${TERMINAL_STAGES.join(', ')} never change again.`,
    moves,
    '## What a holder may say',
    'The owner token is checked first: a row that carries another one answers `NONCE_FENCED`, and nothing changes.',
    ...HOLDER_COMMANDS.map(commandSection),
  ]);
}

function diagram(): string {
  const groups = ALLOCATION_STATUSES.flatMap((status) => [
    `  state ${status} {`,
    ...stagesOf(status).map((stage) => `    ${stage}`),
    '  }',
  ]);
  const begins = INITIAL_STAGES.map((stage) => `  [*] --> ${stage}`);
  const moves = ALLOCATION_STAGES.flatMap((from) =>
    TRANSITIONS[from].map((to) => `  ${from} --> ${to}`),
  );
  const ends = TERMINAL_STAGES.map((stage) => `  ${stage} --> [*]`);
  return ['```mermaid', 'stateDiagram-v2', ...groups, ...begins, ...moves, ...ends, '```'].join(
    '\n',
  );
}

function commandSection(command: HolderCommand): string {
  const stagesByAnswer = new Map<string, AllocationStage[]>();
  for (const stage of ALLOCATION_STAGES) {
    const answer = answers(command, stage);
    stagesByAnswer.set(answer, [...(stagesByAnswer.get(answer) ?? []), stage]);
  }
  const rows = [...stagesByAnswer].map(([answer, stages]) => [stages.join(', '), answer]);
  return [`### ${code(command)}`, table(['in stage', 'answer'], rows)].join('\n\n');
}

function answers(command: HolderCommand, stage: AllocationStage): string {
  const decided = combinations(stage).map((facts): Decided<Fact> => ({
    facts,
    verdict: inWords(decideHolderCommand(command, { stage, ...facts })),
  }));
  return smallestTree(decided, FACTS)
    .map(({ conditions, verdict }) => {
      const when = conditions.map(({ fact, holds }) => WORDS[fact][holds ? 0 : 1]).join(', ');
      return when === '' ? verdict : `${when}: ${verdict}`;
    })
    .join('; ');
}

function combinations(stage: AllocationStage): Record<Fact, boolean>[] {
  const all = Array.from({ length: 2 ** FACTS.length }, (_, bits) =>
    Object.fromEntries(FACTS.map((fact, index) => [fact, (bits & (1 << index)) !== 0])),
  ) as Record<Fact, boolean>[];
  return all.filter(
    (facts) =>
      (!facts.hashKnown || (facts.hasHash && facts.anyHash)) &&
      (facts.anyHash || !EXPOSED.includes(stage)) &&
      (!facts.anyHash || stage !== 'REUSABLE'),
  );
}

function inWords(verdict: HolderVerdict): string {
  switch (verdict.kind) {
    case 'move':
      return `→ ${verdict.to}`;
    case 'stay':
      return 'written, stage kept';
    case 'same':
      return 'already so';
    case 'refuse':
      return code(verdict.code);
  }
}
