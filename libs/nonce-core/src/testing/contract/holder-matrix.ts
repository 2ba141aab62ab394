import assert from 'node:assert/strict';
import type { Allocation } from '../../domain/allocation';
import { ALLOCATION_STAGES, type AllocationStage } from '../../domain/allocation-state';
import type { Hex } from '../../domain/brand';
import {
  HOLDER_COMMANDS,
  decideHolderCommand,
  type HolderCommand,
  type HolderVerdict,
} from '../../domain/holder-command';
import { submitterParts } from '../../domain/submitter';
import type { CommandAnswer, NonceEngine } from '../../ports/engine.port';
import { assertSameFacts, hashOf, refusal, type ContractBench } from './contract-bench';
import { FOLLOWED_CHAIN_ID } from './contract-world';
import type { ContractPromise } from './promise';

/** Which hash a command names: none, one already recorded, or one never seen. */
type HashCase = 'none' | 'known' | 'new';

interface MatrixCase {
  readonly command: HolderCommand;
  readonly hash: HashCase;
}

const FIRST_HASH = hashOf('first');
const NEW_HASH = hashOf('second');
const TTL_MS = 30_000;

/** Every command in every stage does exactly what the table says, on both kinds of chain. */
export const HOLDER_MATRIX: readonly ContractPromise[] = ALLOCATION_STAGES.flatMap((stage) => [
  {
    sentence: `S10: every command on ${stage} does what the table says, where hashes are followed`,
    keep: (bench: ContractBench) => tryStage(bench, stage, bench.followedSubmitter()),
  },
  {
    sentence: `S10: every command on ${stage} does what the table says, where no chain is configured`,
    keep: (bench: ContractBench) => tryStage(bench, stage, bench.submitter()),
  },
]);

async function tryStage(
  bench: ContractBench,
  stage: AllocationStage,
  submitter: Allocation['submitter'],
): Promise<void> {
  const cases = casesFor();
  const { allocations } = await bench.allocate(submitter, { count: cases.length });
  for (const [index, each] of cases.entries()) {
    const allocation = allocations[index] as Allocation;
    await bringTo(bench, allocation, stage);
    await tryCommand(bench, allocation, each);
  }
}

function casesFor(): MatrixCase[] {
  return HOLDER_COMMANDS.flatMap((command): MatrixCase[] => {
    if (command === 'used') {
      return (['none', 'known', 'new'] as const).map((hash) => ({ command, hash }));
    }
    if (command === 'intent' || command === 'submitted') {
      return (['known', 'new'] as const).map((hash) => ({ command, hash }));
    }
    return [{ command, hash: 'none' }];
  });
}

async function tryCommand(
  bench: ContractBench,
  allocation: Allocation,
  { command, hash }: MatrixCase,
): Promise<void> {
  const before = await bench.row(allocation);
  const txHash = { none: undefined, known: before.hashes[0], new: NEW_HASH }[hash];
  if (hash === 'known' && txHash === undefined) return;
  const verdict = decideHolderCommand(command, {
    stage: before.stage,
    hasHash: txHash !== undefined,
    hashKnown: hash === 'known',
    anyHash: before.hashes.length > 0,
    followable: submitterParts(allocation.submitter).chainId === FOLLOWED_CHAIN_ID,
    replacement: false,
  });
  const call = say(bench.engine, { command, txHash }, allocation);
  if (verdict.kind === 'refuse') {
    await refusal(call, verdict.code);
    assert.deepEqual(await bench.row(allocation), before, `${command} changed nothing`);
    return;
  }
  const answer = await call;
  const after = await bench.row(allocation);
  assertSameFacts(answer.allocation, after, `${command} answers with the row as it is`);
  checkEffect(verdict, before, answer);
  if (txHash !== undefined) assert.ok(after.hashes.includes(txHash), 'the hash is recorded');
  if (after.stage === 'GRANTED') {
    const saidAtMs = answer.allocation.updatedAt.getTime();
    assert.equal(after.deadline?.getTime(), saidAtMs + TTL_MS);
  }
}

function checkEffect(
  verdict: Exclude<HolderVerdict, { kind: 'refuse' }>,
  before: Allocation,
  { allocation, changed }: CommandAnswer,
): void {
  const expected = verdict.kind === 'move' ? verdict.to : before.stage;
  assert.equal(allocation.stage, expected);
  assert.equal(changed, verdict.kind !== 'same');
  if (verdict.kind === 'same') assert.deepEqual(allocation, before);
}

/** Says one command the way a holder would. */
export function say(
  engine: NonceEngine,
  { command, txHash }: { readonly command: HolderCommand; readonly txHash?: Hex | undefined },
  allocation: Allocation,
): Promise<CommandAnswer> {
  switch (command) {
    case 'intent':
      return engine.intent(allocation, { txHash: txHash ?? FIRST_HASH });
    case 'submitted':
      return engine.markSubmitted(allocation, { txHash: txHash ?? FIRST_HASH });
    case 'used':
      return engine.markUsed(allocation, txHash === undefined ? {} : { txHash });
    case 'recyclable':
      return engine.markRecyclable(allocation, { reason: 'never sent' });
    case 'quarantine':
      return engine.quarantine(allocation, { reason: 'timed out' });
    case 'keep':
      return engine.keepReserved(allocation, { note: 'back soon', ttlMs: TTL_MS });
    case 'heartbeat':
      return engine.heartbeat(allocation, { ttlMs: TTL_MS });
  }
}

/** Leads a granted allocation to a stage: by its holder where he can, else as a tracker would. */
async function bringTo(
  bench: ContractBench,
  allocation: Allocation,
  stage: AllocationStage,
): Promise<void> {
  const { engine, subject } = bench;
  const steps: Readonly<Record<AllocationStage, readonly AllocationStage[]>> = {
    GRANTED: [],
    INTENT: ['INTENT'],
    BROADCAST: ['INTENT', 'BROADCAST'],
    MINED: ['INTENT', 'BROADCAST', 'MINED'],
    QUARANTINED: ['QUARANTINED'],
    BURNING: ['INTENT', 'BURNING'],
    ASSERTED: ['ASSERTED'],
    CONFIRMED: ['INTENT', 'BROADCAST', 'MINED', 'CONFIRMED'],
    FINAL: ['INTENT', 'BROADCAST', 'MINED', 'CONFIRMED', 'FINAL'],
    BURNT: ['INTENT', 'BURNING', 'BURNT'],
    CONSUMED_EXTERNAL: ['CONSUMED_EXTERNAL'],
    REUSABLE: ['REUSABLE'],
  };
  for (const step of steps[stage]) {
    if (step === 'INTENT') await engine.intent(allocation, { txHash: FIRST_HASH });
    else if (step === 'BROADCAST') await engine.markSubmitted(allocation, { txHash: FIRST_HASH });
    else if (step === 'QUARANTINED') await say(engine, { command: 'quarantine' }, allocation);
    else if (step === 'REUSABLE') await say(engine, { command: 'recyclable' }, allocation);
    else if (step === 'ASSERTED') await say(engine, { command: 'used' }, allocation);
    else await subject.moveTo(allocation, step);
  }
}
