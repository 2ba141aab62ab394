import type { FastView, FlushEvent, HandedOver } from '../ports/fast-store.port';
import { eventOf, unreadable } from './fast-grant-reply';
import { apart, type FastScriptRuns } from './fast-script-runs';

/** Facts of one run: it took 5 to 10 ms of the server, in which it serves nobody else. */
const PAGE = 1_000;
const FROM_THE_START = '0';

type Answer = HandedOver | null | Error;

interface Page {
  readonly next: number;
  /** Where to go on; empty = that was all. */
  readonly cursor: string;
  readonly facts: readonly FlushEvent[];
}

interface Asked {
  readonly view: FastView;
  readonly position: number;
  readonly cursor: string;
}

/**
 * Ends epochs and gathers what their shards tell of them, page by page; nothing changes there from
 * the first page on. An answer is whole or there is none: what ends in between answers null or Error.
 */
export async function handOverInPages(
  runs: FastScriptRuns,
  views: readonly FastView[],
): Promise<readonly Answer[]> {
  const answers = new Array<Answer>(views.length).fill(null);
  const gathered = views.map(() => new Map<number, FlushEvent>());
  let asked: readonly Asked[] = apart(
    views.map((view, position) => ({ view, position, cursor: FROM_THE_START })),
  );
  // Each run tells about a page at least, or about all that is left: it ends.
  while (asked.length > 0) {
    const pages = await askForPages(runs, asked);
    asked = asked.flatMap((row, i): readonly Asked[] => {
      const page = pages[i];
      const facts = gathered[row.position];
      if (page === null || page instanceof Error || page === undefined || facts === undefined) {
        answers[row.position] = page ?? null;
        return [];
      }
      for (const fact of page.facts) facts.set(fact.grant.nonce, fact);
      if (page.cursor !== '') return [{ ...row, cursor: page.cursor }];
      answers[row.position] = { next: page.next, facts: [...facts.values()] };
      return [];
    });
  }
  return answers;
}

function askForPages(
  runs: FastScriptRuns,
  asked: readonly Asked[],
): Promise<readonly (Page | null | Error)[]> {
  return runs.ask('handOver', asked, {
    head: [PAGE],
    push: ({ view, rows }, args) => {
      args.push(view.submitter, view.epoch, view.incarnation, rows[0]?.cursor ?? FROM_THE_START);
    },
    answer: (_, reply) => pageOf(reply),
  });
}

function pageOf(reply: unknown): Page | null {
  if (Number(reply) === -1) return null;
  if (!Array.isArray(reply)) throw unreadable(reply);
  const [next, cursor, ...facts] = reply as readonly unknown[];
  return { next: Number(next), cursor: String(cursor), facts: facts.map(eventOf) };
}
