import type { AllocationStage } from '../../../src/domain/allocation-state';
import type { Ending, EndingRow, History, HistoryRules, MinedFact, SpokenFact } from './history';
import { nonceKey, type NonceStory, type TokenStory, wasAccepted } from './nonce-story';

const UNEXPOSED: readonly AllocationStage[] = ['GRANTED', 'REUSABLE'];
const PROVEN: readonly AllocationStage[] = ['MINED', 'CONFIRMED', 'FINAL'];
const HOLES_SHOWN = 10;

/** The rows by their nonce, and everything that was ever recorded of it. */
class Records {
  private readonly rows: ReadonlyMap<string, EndingRow>;
  private readonly tokens: ReadonlySet<string>;
  private readonly hashes = new Map<string, Set<string>>();

  constructor(ending: Ending) {
    this.rows = new Map(ending.rows.map((row) => [nonceKey(row), row]));
    this.tokens = new Set([...ending.rows, ...ending.earlier].map((grant) => grant.token));
    for (const each of [...ending.rows, ...ending.earlier]) {
      const known = this.hashes.get(nonceKey(each)) ?? new Set<string>();
      for (const hash of each.hashes) known.add(hash);
      this.hashes.set(nonceKey(each), known);
    }
  }

  row(story: NonceStory): EndingRow | undefined {
    return this.rows.get(nonceKey(story));
  }

  knowsToken(token: string): boolean {
    return this.tokens.has(token);
  }

  knowsHash(story: NonceStory, hash: string): boolean {
    return this.hashes.get(nonceKey(story))?.has(hash) === true;
  }
}

/** S8: nothing that was acknowledged is missing in Postgres at the end. */
export function checkNothingLost(
  stories: readonly NonceStory[],
  ending: Ending,
  rules: HistoryRules,
): readonly string[] {
  const records = new Records(ending);
  return stories.flatMap((story) =>
    story.tokens.flatMap((token) => [
      ...lostGrant({ story, token, records, rules }),
      ...token.spoken
        .filter(wasAccepted)
        .flatMap((fact) => lostWord(fact, { story, token, records, rules })),
    ]),
  );
}

interface Case {
  readonly story: NonceStory;
  readonly token: TokenStory;
  readonly records: Records;
  readonly rules: HistoryRules;
}

/** Grants that must be durable before their holder is told. */
function lostGrant({ token, records, rules }: Case): readonly string[] {
  const { grant } = token;
  const recorded =
    grant.operation !== null ||
    grant.source === 'replacement' ||
    (rules.intents === 'strict' && grant.exposure !== 'declared');
  if (!recorded || records.knowsToken(grant.token)) return [];
  return [`S8: the ${grant.source} grant ${grant.token} of nonce ${grant.nonce} was lost`];
}

function lostWord(fact: SpokenFact, found: Case): readonly string[] {
  const row = found.records.row(found.story);
  const place = `${fact.word} of ${fact.token} at nonce ${fact.nonce} of ${fact.submitter}`;
  if (row === undefined) return [`S8: ${place} was lost: there is no row`];
  const own = row.token === fact.token;
  if (fact.word === 'recyclable') {
    const stillHeld = own && row.stage === 'GRANTED';
    return stillHeld ? [`S8: ${place} was lost: it is held still`] : [];
  }
  const clean = UNEXPOSED.includes(row.stage) && row.source !== 'replacement';
  if (clean) return [`S3, S8: ${place} was lost: the row is ${row.stage}`];
  const mayBeForgotten =
    fact.word !== 'intent' && found.rules.intents === 'relaxed' && found.rules.memoryLost;
  if (mayBeForgotten || fact.txHash === null) return [];
  if (found.records.knowsHash(found.story, fact.txHash)) return [];
  return [`S8: ${place} was lost: its hash is not there (${row.stage})`];
}

/** S12: each nonce in [start, next) has exactly one row, and none above has any. */
export function checkPartition(ending: Ending): readonly string[] {
  const found: string[] = [];
  for (const { submitter, start, next } of ending.submitters) {
    const nonces = ending.rows.filter((row) => row.submitter === submitter).map((row) => row.nonce);
    const present = new Set(nonces);
    const holes = [];
    for (let nonce = start; nonce < next; nonce += 1) if (!present.has(nonce)) holes.push(nonce);
    if (holes.length > 0) {
      const shown = holes.slice(0, HOLES_SHOWN).join(', ');
      found.push(`S12: ${submitter} has ${holes.length} holes in [${start}, ${next}): ${shown}`);
    }
    const above = nonces.filter((nonce) => nonce >= next);
    if (above.length > 0) found.push(`S12: ${submitter} has rows at or above ${next}: ${above[0]}`);
    if (present.size < nonces.length) found.push(`S12: ${submitter} has a nonce in two rows`);
  }
  const current = new Set(ending.rows.map((row) => row.token));
  if (current.size < ending.rows.length) found.push('S12: one token owns two nonces');
  const both = ending.earlier.find((grant) => current.has(grant.token));
  if (both !== undefined) {
    const { nonce, submitter, token } = both;
    found.push(`S12: nonce ${nonce} of ${submitter} is owned by a token that has ended: ${token}`);
  }
  return found;
}

/** S4, S5, S6: what Postgres says of a nonce does not contradict what the chain holds. */
export function checkChain(history: History, ending: Ending): readonly string[] {
  const mined = history.filter((fact): fact is MinedFact => fact.kind === 'mined');
  const at = new Map(mined.map((fact) => [nonceKey(fact), fact]));
  const sent = new Set(history.flatMap((fact) => (fact.kind === 'sent' ? [fact.txHash] : [])));
  const verdicts = ending.rows.flatMap((row) => {
    const place = `nonce ${row.nonce} of ${row.submitter} is ${row.stage}`;
    const fact = at.get(nonceKey(row));
    if (PROVEN.includes(row.stage) && fact?.txHash !== row.txHash) {
      return [
        `S6: ${place} by ${row.txHash ?? 'nothing'}, the chain has ${fact?.txHash ?? 'none'}`,
      ];
    }
    if (fact === undefined) return [];
    if (row.stage === 'CONSUMED_EXTERNAL' && row.hashes.includes(fact.txHash)) {
      return [`S5: ${place}, but the chain has its own ${fact.txHash}`];
    }
    if (UNEXPOSED.includes(row.stage) && row.source !== 'replacement' && sent.has(fact.txHash)) {
      return [`S3: ${place}, but the chain has its ${fact.txHash}`];
    }
    return [];
  });
  return [...verdicts, ...checkExecutions(mined)];
}

/** L1 as the chain sees it: once everything is spent and sent, every nonce below the counter mined. */
export function checkChainGaps(history: History, ending: Ending): readonly string[] {
  const mined = new Set(history.flatMap((fact) => (fact.kind === 'mined' ? [nonceKey(fact)] : [])));
  return ending.submitters.flatMap(({ submitter, start, next }) => {
    for (let nonce = start; nonce < next; nonce += 1) {
      if (!mined.has(nonceKey({ submitter, nonce }))) {
        return [
          `L1: nonce ${nonce} of ${submitter} never mined, and none after it (up to ${next})`,
        ];
      }
    }
    return [];
  });
}

function checkExecutions(mined: readonly MinedFact[]): readonly string[] {
  const nonces = new Map<string, number[]>();
  for (const { operation, nonce } of mined) {
    if (operation !== null) nonces.set(operation, [...(nonces.get(operation) ?? []), nonce]);
  }
  return [...nonces]
    .filter(([, found]) => found.length > 1)
    .map(([operation, found]) => `S4: ${operation} was executed at nonces ${found.join(', ')}`);
}
