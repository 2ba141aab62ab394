import type { ScriptedTransaction } from '../../../chain-adapter/test/support/scripted-transaction';
import type { ChainWorld } from './chain-world';
import { RECIPIENT, type WorldPayer } from './world-payer';

/** What the chain executed decides; the library's rows are only compared with it. */
export interface Judgement {
  /** Empty when every promise was kept; each names the promise it breaks. */
  readonly broken: readonly string[];
  readonly executed: number;
}

/** Lets the world come to its end and judges all that was ever said and granted in it. */
export async function judge(world: ChainWorld): Promise<Judgement> {
  await world.settle();
  const verdicts = await Promise.all(world.payers.map((payer) => judgePayer(world, payer)));
  const ours = (tx: ScriptedTransaction): boolean => tx.to === RECIPIENT && tx.value < 1_000_000n;
  return { broken: verdicts.flat(), executed: world.chain.executed.filter(ours).length };
}

async function judgePayer(world: ChainWorld, payer: WorldPayer): Promise<readonly string[]> {
  const own = executedBy(world, payer);
  return [
    ...judgeOperations(payer, own),
    ...judgeVerdicts(world, payer),
    ...judgeGrants(payer),
    ...(await judgePartition(world, payer, own)),
  ];
}

function executedBy(world: ChainWorld, payer: WorldPayer): readonly ScriptedTransaction[] {
  return world.chain.executed.filter((tx) => tx.from === payer.address);
}

/** exec(op). */
function executionsOf(wei: bigint, own: readonly ScriptedTransaction[]): number {
  return own.filter((tx) => tx.to === RECIPIENT && tx.value === wei).length;
}

function judgeOperations(
  payer: WorldPayer,
  own: readonly ScriptedTransaction[],
): readonly string[] {
  return payer.operations.flatMap(({ id, wei, told }) => {
    const executions = executionsOf(wei, own);
    const sent = payer.grants.filter((grant) => grant.operation.id === id && grant.sent !== null);
    const nonces = new Set(sent.map(({ nonce }) => nonce));
    return [
      ...(sent.length === 0 ? [`L1: ${id} never got a nonce, but ${String(told)}`] : []),
      ...(executions > 1 ? [`S4: ${id} was executed ${executions} times`] : []),
      ...(nonces.size > 1 ? [`S4: ${id} was exposed at nonces ${[...nonces].join()}`] : []),
      ...(executions > 0 && sent.length === 0 ? [`S2: ${id} was executed without intent`] : []),
      ...(told === 'NONCE_OPERATION_FAILED' && executions > 0 ? [`S5: ${id} had failed`] : []),
    ];
  });
}

/** Every verdict ever reported, against the chain as it is at the end of time. */
export function judgeVerdicts(world: ChainWorld, payer: WorldPayer): readonly string[] {
  const own = executedBy(world, payer);
  return [...world.jobs.verdicts.values()].flatMap(({ allocationId, stage, txHash }) => {
    const operation = payer.operationOf(allocationId);
    if (operation === undefined) return [];
    const executions = executionsOf(operation.wei, own);
    if (stage !== 'FINAL') {
      return executions === 0 ? [] : [`S5: ${operation.id} is ${stage} and was executed`];
    }
    return [
      ...(executions === 1 ? [] : [`S5: ${operation.id} is FINAL, executed ${executions} times`]),
      ...(own.some((tx) => tx.hash === txHash) ? [] : [`S6: FINAL by ${txHash} not on the chain`]),
    ];
  });
}

/** S3: a nonce whose bytes may be out is never granted clean again. */
function judgeGrants(payer: WorldPayer): readonly string[] {
  const exposed = new Map<number, string>();
  return payer.grants.flatMap(({ nonce, source, sent, operation, allocationId }) => {
    const before = exposed.get(nonce);
    if (sent !== null) exposed.set(nonce, operation.id);
    const again = before !== undefined && before !== operation.id && source !== 'replacement';
    return again
      ? [`S3: nonce ${nonce} of ${before} granted to ${operation.id} (${allocationId})`]
      : [];
  });
}

/** S12 and L1: one end per nonce below the counter, none beyond it, and the chain reached it. */
async function judgePartition(
  world: ChainWorld,
  payer: WorldPayer,
  own: readonly ScriptedTransaction[],
): Promise<readonly string[]> {
  // It never was an account of the library.
  if (payer.grants.length === 0) return [];
  const [rows, next] = await Promise.all([world.jobs.rows(payer), world.jobs.nextNonce(payer)]);
  const { count } = world.chain.accountAt(payer.address);
  const known = new Set(rows.map(({ nonce }) => nonce));
  const ours = new Set(payer.grants.flatMap(({ sent }) => sent ?? []));
  const broken: string[] = [];
  if (known.size !== rows.length) broken.push('S12: two rows for one nonce');
  if (rows.some(({ nonce }) => nonce >= next)) broken.push('S12: a row beyond the counter');
  if (count !== next) broken.push(`L1: the counter is at ${next}, the chain at ${count}`);
  for (const tx of own) {
    if (ours.has(tx.hash) && !known.has(tx.nonce)) broken.push(`S12: no row for nonce ${tx.nonce}`);
  }
  return broken;
}
