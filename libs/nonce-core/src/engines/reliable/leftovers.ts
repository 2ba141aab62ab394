import type { Submitter } from '../../domain/submitter';
import type { AllocateRequest } from '../../engine-parts/allocation-request';
import type { GatheredCall } from '../../engine-parts/batch-gatherer';
import type { AllocateAnswer } from '../../ports/allocation-store.port';
import type { Grant } from '../../ports/engine.port';

export type AllocateCall = GatheredCall<AllocateRequest, Grant>;

type BySubmitter = Map<Submitter, AllocateCall[]>;

/** Rows the group could not answer, by submitter; made only when there are some. */
export interface Leftovers {
  absent?: BySubmitter;
  contended?: BySubmitter;
  /** A fast engine issues for them yet. */
  foreign?: BySubmitter;
}

/** Its own grant found again after a lost reply is no replay: nobody else was told of it. */
export function isReplay(
  { request }: AllocateCall,
  { replayed, allocations }: Extract<AllocateAnswer, { kind: 'granted' }>,
): boolean {
  const own = allocations.every(
    ({ id, stage }) => stage === 'GRANTED' && request.row.ids.includes(id),
  );
  return replayed && !own;
}

export function distinctSubmitters(calls: readonly AllocateCall[]): readonly Submitter[] {
  const submitters = new Set<Submitter>();
  for (const call of calls) submitters.add(call.request.row.submitter);
  return [...submitters];
}

export function addTo(bySubmitter: BySubmitter, call: AllocateCall): void {
  const { submitter } = call.request.row;
  const calls = bySubmitter.get(submitter);
  if (calls === undefined) bySubmitter.set(submitter, [call]);
  else calls.push(call);
}
