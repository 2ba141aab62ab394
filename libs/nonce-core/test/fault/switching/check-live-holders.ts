import { nonceKey } from '../history/nonce-story';
import type { AllocatedFact, History, SpokenFact, SpokenWord } from '../history/history';

/** A holder counts as live until this share of its time is over: answers take a while. */
const LIVE_SHARE = 0.8;
const US_PER_MS = 1_000;

const EXPOSING = new Set<SpokenWord>(['intent', 'submitted', 'used', 'quarantine']);

/**
 * H-15: a planned switch takes no nonce from a live holder: what it says first about its grant, in
 * time, is accepted. Left out are operations, since another call of one may have been faster, and
 * nonces that an earlier holder took back late, as it may (H-11).
 */
export function checkLiveHolders(history: History): readonly string[] {
  const grants = new Map<string, AllocatedFact>();
  const first = new Map<string, SpokenFact>();
  const exposers = new Map<string, Set<string>>();
  for (const fact of history) {
    if (fact.kind === 'allocated' && fact.operation === null) grants.set(fact.token, fact);
    if (fact.kind !== 'spoken') continue;
    // Whoever was cut off before the answer may have been heard.
    const heard = fact.answer === 'accepted' || fact.answer === 'unknown';
    if (heard && EXPOSING.has(fact.word)) {
      const tokens = exposers.get(nonceKey(fact)) ?? new Set();
      exposers.set(nonceKey(fact), tokens.add(fact.token));
    }
    const known = first.get(fact.token);
    if (known === undefined || fact.askedUs < known.askedUs) first.set(fact.token, fact);
  }
  return [...first.values()].flatMap((said) => {
    const grant = grants.get(said.token);
    const isAnswered = said.answer !== 'accepted' && said.answer !== 'unknown';
    if (grant?.deadlineMs == null || !isAnswered) return [];
    const liveUs = (grant.deadlineMs - grant.grantedAtMs) * US_PER_MS * LIVE_SHARE;
    if (said.atUs > grant.askedUs + liveUs) return [];
    const { word, answer, token, nonce, submitter } = said;
    const others = [...(exposers.get(nonceKey(said)) ?? [])].filter((other) => other !== token);
    if (others.some((other) => isEarlier(grants.get(other), grant))) return [];
    return [
      `H-15: ${word} of the live holder ${token} of nonce ${nonce} of ${submitter}: ${answer}`,
    ];
  });
}

/** Operations are not among the grants that are known here; they are granted like all others. */
function isEarlier(other: AllocatedFact | undefined, grant: AllocatedFact): boolean {
  return other === undefined || other.grantedAtMs <= grant.grantedAtMs;
}
