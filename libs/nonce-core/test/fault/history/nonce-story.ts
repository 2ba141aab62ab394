import type { AllocatedFact, History, SentFact, SpokenFact } from './history';

/** Everything that happened to one token, which is one grant of one nonce. */
export interface TokenStory {
  readonly grant: AllocatedFact;
  readonly spoken: readonly SpokenFact[];
  readonly sent: readonly SentFact[];
  /** When its holder was first allowed to send, and null while it never was. */
  readonly claim: { readonly fromUs: number; readonly byIntent: boolean } | null;
  /** When its holder first said that it never sends; its effect may come before the answer. */
  readonly releasedUs: number | null;
}

/** The stories of one nonce, in the order of their grants. */
export interface NonceStory {
  readonly submitter: string;
  readonly nonce: number;
  readonly tokens: readonly TokenStory[];
}

export function nonceStories(history: History): readonly NonceStory[] {
  const spoken = byToken(history.filter((fact) => fact.kind === 'spoken'));
  const sent = byToken(history.filter((fact) => fact.kind === 'sent'));
  const stories = new Map<string, { submitter: string; nonce: number; tokens: TokenStory[] }>();
  const known = new Set<string>();
  for (const grant of history.filter((fact) => fact.kind === 'allocated')) {
    // A replay answers with the grant that its caller was told of before.
    if (known.has(grant.token)) continue;
    known.add(grant.token);
    const { submitter, nonce } = grant;
    const key = nonceKey(grant);
    const story = stories.get(key) ?? { submitter, nonce, tokens: [] };
    story.tokens.push(
      tokenStory(grant, spoken.get(grant.token) ?? [], sent.get(grant.token) ?? []),
    );
    stories.set(key, story);
  }
  for (const { tokens } of stories.values()) tokens.sort(byGrant);
  return [...stories.values()];
}

export function nonceKey(place: { readonly submitter: string; readonly nonce: number }): string {
  return `${place.submitter}#${place.nonce}`;
}

export function wasAccepted(fact: SpokenFact): boolean {
  return fact.answer === 'accepted';
}

function tokenStory(
  grant: AllocatedFact,
  spoken: readonly SpokenFact[],
  sent: readonly SentFact[],
): TokenStory {
  return { grant, spoken, sent, claim: claimOf(grant, spoken), releasedUs: releaseOf(spoken) };
}

/**
 * A declared holder may send once its intent is accepted, any other from the moment it was told of
 * its nonce.
 */
function claimOf(grant: AllocatedFact, spoken: readonly SpokenFact[]): TokenStory['claim'] {
  const intents = spoken.filter((fact) => fact.word === 'intent' && wasAccepted(fact));
  if (grant.exposure !== 'declared') return { fromUs: grant.atUs, byIntent: intents.length > 0 };
  if (intents.length === 0) return null;
  return { fromUs: Math.min(...intents.map((fact) => fact.atUs)), byIntent: true };
}

/** A holder that was fenced at its release never sends either: its first try may have been heard. */
const RELEASING: readonly SpokenFact['answer'][] = ['accepted', 'unknown', 'NONCE_FENCED'];

function releaseOf(spoken: readonly SpokenFact[]): number | null {
  const releases = spoken.filter(
    (fact) => fact.word === 'recyclable' && RELEASING.includes(fact.answer),
  );
  return releases.length === 0 ? null : Math.min(...releases.map((fact) => fact.askedUs));
}

function byGrant(left: TokenStory, right: TokenStory): number {
  return (
    left.grant.epoch - right.grant.epoch ||
    left.grant.grantedAtMs - right.grant.grantedAtMs ||
    left.grant.atUs - right.grant.atUs
  );
}

function byToken<Told extends { readonly token: string }>(
  facts: readonly Told[],
): ReadonlyMap<string, readonly Told[]> {
  const found = new Map<string, Told[]>();
  for (const fact of facts) {
    const earlier = found.get(fact.token);
    if (earlier === undefined) found.set(fact.token, [fact]);
    else earlier.push(fact);
  }
  return found;
}
