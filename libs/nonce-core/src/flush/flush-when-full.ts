import type { FastAllocateAnswer, FastAllocateRow, FastStore } from '../ports/fast-store.port';
import type { FlushEvents } from './flush-events';

type Answers = readonly (FastAllocateAnswer | Error)[];

/**
 * The same fast store, but a grant that finds its shard's queue full waits until this process has
 * flushed it, instead of being refused: slower, and as durable as writing each grant at once. It is
 * refused still when flushing frees nothing.
 */
export function flushWhenFull(store: FastStore, flush: Pick<FlushEvents, 'flushNow'>): FastStore {
  return {
    shardOf: (submitter) => store.shardOf(submitter),
    incarnationOf: (submitter) => store.incarnationOf(submitter),
    allocate: (rows) => allocate(store, flush, rows),
    settle: (rows) => store.settle(rows),
    look: (rows) => store.look(rows),
    open: (openings) => store.open(openings),
    refill: (refills) => store.refill(refills),
    retire: (view, idleMs) => store.retire(view, idleMs),
    handOver: (views) => store.handOver(views),
    forget: (views) => store.forget(views),
    raiseMode: (mark, shards) => store.raiseMode(mark, shards),
    canary: (shards) => store.canary(shards),
    reclaim: (views, limit) => store.reclaim(views, limit),
    status: (shards) => store.status(shards),
  };
}

/** Nothing was written for a refused row, so that asking again is no repetition. */
async function allocate(
  store: FastStore,
  flush: Pick<FlushEvents, 'flushNow'>,
  rows: readonly FastAllocateRow[],
): Promise<Answers> {
  const answers = [...(await store.allocate(rows))];
  const full = [...rows.keys()].filter((i) => isFull(answers[i]));
  if (full.length === 0) return answers;
  const refused = full.flatMap((i) => rows[i] ?? []);
  const shards = new Set(refused.map(({ view }) => store.shardOf(view.submitter)));
  try {
    await Promise.all([...shards].map((shard) => flush.flushNow(shard)));
  } catch {
    return answers; // what cannot be flushed stays refused
  }
  const again = await store.allocate(refused);
  full.forEach((row, i) => {
    const answer = again[i];
    if (answer !== undefined) answers[row] = answer;
  });
  return answers;
}

function isFull(answer: FastAllocateAnswer | Error | undefined): boolean {
  if (answer === undefined || answer instanceof Error) return false;
  return answer.kind === 'refused' && answer.code === 'NONCE_BACKPRESSURE';
}
