import { performance } from 'node:perf_hooks';
import { toSample, type Sample } from './statistics';

export interface LoadPlan {
  /** Callers that each wait for their answer before they call again. */
  readonly callers: number;
  readonly durationMs: number;
  /** Ends the run earlier, where every call makes the store larger. */
  readonly maxCalls?: number;
}

/** Calls as often as the plan allows. The first call that fails ends the run with its error. */
export async function generateLoad(
  plan: LoadPlan,
  call: (caller: number) => Promise<unknown>,
): Promise<Sample> {
  const latenciesMs: number[] = [];
  const maxCalls = plan.maxCalls ?? Number.POSITIVE_INFINITY;
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + plan.durationMs;
  let begun = 0;
  const work = async (caller: number): Promise<void> => {
    let beganAtMs = performance.now();
    while (beganAtMs < endsAtMs && begun < maxCalls) {
      begun += 1;
      await call(caller);
      const endedAtMs = performance.now();
      latenciesMs.push(endedAtMs - beganAtMs);
      beganAtMs = endedAtMs;
    }
  };
  await Promise.all(Array.from({ length: plan.callers }, (_, caller) => work(caller)));
  return toSample(latenciesMs, performance.now() - startedAtMs);
}
