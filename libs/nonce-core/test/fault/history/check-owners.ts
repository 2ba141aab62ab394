import type { AllocatedFact, FloorFact, History } from './history';
import type { NonceStory, TokenStory } from './nonce-story';

/** S1, S2, S3, S8: of all who were allowed to send at one nonce, each later one knew of the earlier. */
export function checkOwners(stories: readonly NonceStory[]): readonly string[] {
  return stories.flatMap((story) => {
    const claims = story.tokens.filter((token) => token.claim !== null);
    return claims.flatMap((later, index) =>
      claims.slice(0, index).flatMap((earlier) => judgePair(story, earlier, later)),
    );
  });
}

function judgePair(story: NonceStory, earlier: TokenStory, later: TokenStory): string[] {
  if (wasGivenBack(earlier, later) || wasOverBefore(later, earlier)) return [];
  const found: string[] = [];
  const [first, second] = [describe(earlier), describe(later)];
  const place = `nonce ${story.nonce} of ${story.submitter}`;
  if (later.grant.source !== 'replacement') {
    found.push(`S1: ${place} has two live owners: ${first}, ${second}`);
    if (exposedUs(earlier) < later.grant.askedUs) {
      found.push(`S3, S8: ${place} was issued clean after exposure: ${first}, then ${second}`);
    }
    if (earlier.claim?.byIntent === true && later.claim?.byIntent === true) {
      found.push(`S2: ${place} has an accepted intent of two tokens: ${first}, ${second}`);
    }
  } else if (lastIntentAskedUs(earlier) > later.grant.atUs) {
    found.push(`S1, S2: the intent of ${first} for ${place} was accepted after ${second} had it`);
  }
  return found;
}

/** Its holder said that it had not sent and would not, before the nonce was told to another. */
function wasGivenBack(earlier: TokenStory, later: TokenStory): boolean {
  return earlier.releasedUs !== null && earlier.releasedUs < later.grant.atUs;
}

/**
 * The later grant had come and gone, unused, before a late holder of the earlier one was told that
 * it may send. After a failover the epochs of two primaries order grants so that are far apart.
 */
function wasOverBefore(later: TokenStory, earlier: TokenStory): boolean {
  if (earlier.grant.exposure !== 'declared' || earlier.claim === null) return false;
  if (later.releasedUs === null || later.sent.length > 0) return false;
  return later.releasedUs < earlier.claim.fromUs;
}

function exposedUs(token: TokenStory): number {
  const byIntent = token.claim?.byIntent === true ? token.claim.fromUs : Infinity;
  return Math.min(byIntent, ...token.sent.map((fact) => fact.atUs));
}

function lastIntentAskedUs(token: TokenStory): number {
  const intents = token.spoken.filter(
    (fact) => fact.word === 'intent' && fact.answer === 'accepted',
  );
  return Math.max(-Infinity, ...intents.map((fact) => fact.askedUs));
}

/** S7: nobody may send below a count that the product knew when it was asked. */
export function checkFloors(history: History, stories: readonly NonceStory[]): readonly string[] {
  const floors = history.filter((fact): fact is FloorFact => fact.kind === 'floor');
  return stories.flatMap((story) =>
    story.tokens.flatMap((token) => {
      const known = floors.filter(
        (floor) => floor.submitter === story.submitter && floor.atUs < token.grant.askedUs,
      );
      const count = Math.max(0, ...known.map((floor) => floor.count));
      if (token.claim === null || story.nonce >= count) return [];
      return [`S7: nonce ${story.nonce} of ${story.submitter} was issued below the floor ${count}`];
    }),
  );
}

/** S4, S11: one operation is allowed to send at one nonce, and is always answered with it. */
export function checkOperations(stories: readonly NonceStory[]): readonly string[] {
  const found: string[] = [];
  for (const [operation, tokens] of byOperation(stories)) {
    const claimed = new Set(tokens.filter((token) => token.claim?.byIntent).map(nonceOf));
    if (claimed.size > 1) {
      found.push(`S4: operation ${operation} is exposed at nonces ${[...claimed].join(', ')}`);
    }
    const rivals = tokens.flatMap((earlier) =>
      tokens.filter((later) => later !== earlier && wasHeldAt(earlier, later.grant)),
    );
    if (rivals.length > 0) {
      const nonces = [...new Set(tokens.map(nonceOf))].join(', ');
      found.push(`S11: operation ${operation} was answered with nonces ${nonces}`);
    }
  }
  return found;
}

function byOperation(stories: readonly NonceStory[]): ReadonlyMap<string, readonly TokenStory[]> {
  const found = new Map<string, TokenStory[]>();
  for (const token of stories.flatMap((story) => story.tokens)) {
    const { submitter, operation } = token.grant;
    if (operation === null) continue;
    const key = `${operation} of ${submitter}`;
    found.set(key, [...(found.get(key) ?? []), token]);
  }
  return found;
}

/** Another nonce of the same operation was granted while this one was still held for it. */
function wasHeldAt(token: TokenStory, later: AllocatedFact): boolean {
  const { grant } = token;
  if (grant.nonce === later.nonce || grant.grantedAtMs > later.grantedAtMs) return false;
  const untilMs = token.claim === null ? (grant.deadlineMs ?? Infinity) : Infinity;
  return later.grantedAtMs < untilMs && !hasEnded(token);
}

/** Given back, or its holder was told that it lost it. */
function hasEnded(token: TokenStory): boolean {
  return (
    token.releasedUs !== null ||
    token.spoken.some(
      (fact) => fact.answer === 'NONCE_FENCED' || fact.answer === 'NONCE_ALLOCATION_CLOSED',
    )
  );
}

function nonceOf(token: TokenStory): number {
  return token.grant.nonce;
}

/** S9: what a later epoch issues as fresh lies above everything an earlier one did. */
export function checkEpochs(history: History): readonly string[] {
  const ranges = new Map<string, Map<number, { least: number; most: number }>>();
  for (const fact of history) {
    if (fact.kind !== 'allocated' || fact.source !== 'fresh') continue;
    const epochs = ranges.get(fact.submitter) ?? new Map<number, { least: number; most: number }>();
    const range = epochs.get(fact.epoch) ?? { least: fact.nonce, most: fact.nonce };
    range.least = Math.min(range.least, fact.nonce);
    range.most = Math.max(range.most, fact.nonce);
    epochs.set(fact.epoch, range);
    ranges.set(fact.submitter, epochs);
  }
  return [...ranges].flatMap(([submitter, epochs]) => {
    const ordered = [...epochs].sort(([left], [right]) => left - right);
    return ordered.slice(1).flatMap(([epoch, { least }], index) => {
      const before = ordered[index];
      if (before === undefined || before[1].most < least) return [];
      return [
        `S9: ${submitter} epoch ${epoch} issued ${least} as fresh, epoch ${before[0]} ${before[1].most}`,
      ];
    });
  });
}

function describe(token: TokenStory): string {
  const { node, source, exposure, epoch } = token.grant;
  return `${token.grant.token} (${node}, ${source}, ${exposure}, epoch ${epoch})`;
}
