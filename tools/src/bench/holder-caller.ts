import { isNonceError, type NonceComponent } from '@noncekit/nonce-core';
import { clockMs, type Caller, type CallRecord } from './paced-load';
import { anySubmitter } from './submitters';

interface Told<Answer> {
  readonly answer: Answer | undefined;
  readonly record: CallRecord;
}

/** Takes a nonce of any of these submitters and says at once that it was used. */
export function holderCaller(nonces: NonceComponent, submitters: number): Caller {
  return async (note) => {
    const taken = await timed(
      'allocate',
      () => nonces.allocate(anySubmitter(submitters)),
      ([allocation]) => allocation?.engine ?? null,
    );
    note(taken.record);
    const allocation = taken.answer?.[0];
    if (allocation === undefined) return;
    const settled = await timed(
      'markUsed',
      () => nonces.markUsed(allocation, {}),
      () => null,
    );
    note(settled.record);
  };
}

async function timed<Answer>(
  name: CallRecord['call'],
  call: () => Promise<Answer>,
  engineOf: (answer: Answer) => string | null,
): Promise<Told<Answer>> {
  const beganAtMs = clockMs();
  const spent = () => ({ call: name, beganAtMs, waitedMs: clockMs() - beganAtMs });
  try {
    const answer = await call();
    return { answer, record: { ...spent(), engine: engineOf(answer), failure: null } };
  } catch (error) {
    const failure = isNonceError(error) ? error.code : String(error);
    return { answer: undefined, record: { ...spent(), engine: null, failure } };
  }
}
