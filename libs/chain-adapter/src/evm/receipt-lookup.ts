import { isNonceError, type Hex } from '@noncekit/nonce-core/domain';
import type { LookupTrouble, ReceiptLookup } from '@noncekit/nonce-core/ports';
import type { RpcReply } from './json-rpc';
import type { Provider } from './provider';
import type { ProviderPool } from './provider-pool';
import { soonestOf, troubleOf } from './receipt-trouble';
import { parseBlock, parseReceipt, toQuantity, type MinedReceipt } from './rpc-values';
import { judgeReceipt, type CanonicalVotes, type ReceiptVerdict } from './vouching';

interface Problem {
  readonly problem: string;
  readonly trouble: LookupTrouble;
}
type Claim = MinedReceipt | 'none' | Problem;

/**
 * Receipts of all hashes from all usable providers in one batch each, and in a second one the blocks
 * that these receipts name. Never rejects: what cannot be known is `unavailable`.
 */
export async function lookUpReceipts(
  pool: ProviderPool,
  hashes: readonly Hex[],
): Promise<ReadonlyMap<Hex, ReceiptLookup>> {
  if (hashes.length === 0) return new Map();
  const unique = [...new Set(hashes)];
  try {
    const providers = await pool.usable();
    const claims = await Promise.all(providers.map((provider) => claimsOf(provider, unique)));
    const perHash = unique.map((_, i) => claims.map((said) => said[i] as Claim));
    const canonical = await readCanonical(providers, heightsOf(perHash.flat()));
    return new Map(
      unique.map((hash, i) => [hash, toLookup(perHash[i] as readonly Claim[], canonical)]),
    );
  } catch (error) {
    if (!isNonceError(error)) throw error;
    const lookup: ReceiptLookup = { kind: 'unavailable', cause: error.message, trouble: 'broken' };
    return new Map(unique.map((hash) => [hash, lookup]));
  }
}

async function claimsOf(provider: Provider, hashes: readonly Hex[]): Promise<readonly Claim[]> {
  const replies = await provider.ask(
    hashes.map((hash) => ({ method: 'eth_getTransactionReceipt', params: [hash] })),
  );
  return hashes.map((hash, i) => readClaim(replies[i], hash, provider.label));
}

function readClaim(reply: RpcReply | undefined, hash: Hex, provider: string): Claim {
  if (reply?.kind !== 'result') {
    const problem = `${provider}: ${reply?.message ?? 'no answer'}`;
    return { problem, trouble: troubleOf(reply) };
  }
  const receipt = parseReceipt(reply.value, hash);
  return receipt === 'garbage'
    ? { problem: `${provider}: not a receipt of it`, trouble: 'broken' }
    : receipt;
}

function heightsOf(claims: readonly Claim[]): readonly number[] {
  const heights = claims.flatMap((claim) => (isMined(claim) ? [claim.blockNumber] : []));
  return [...new Set(heights)];
}

async function readCanonical(
  providers: readonly Provider[],
  heights: readonly number[],
): Promise<CanonicalVotes> {
  const votes = new Map(heights.map((height) => [height, new Map<Hex, number>()]));
  if (heights.length === 0) return votes;
  const requests = heights.map((height) => ({
    method: 'eth_getBlockByNumber',
    params: [toQuantity(height), false],
  }));
  await Promise.all(
    providers.map(async (provider) => {
      const replies = await provider.ask(requests);
      heights.forEach((height, i) => {
        const reply = replies[i];
        const block = reply?.kind === 'result' ? parseBlock(reply.value) : null;
        const named = votes.get(height);
        if (block?.number !== height || named === undefined) return;
        named.set(block.hash, (named.get(block.hash) ?? 0) + 1);
      });
    }),
  );
  return votes;
}

function toLookup(claims: readonly Claim[], canonical: CanonicalVotes): ReceiptLookup {
  const answers = claims.filter((claim) => claim === 'none' || isMined(claim));
  return describeVerdict(judgeReceipt(answers, canonical), claims);
}

function describeVerdict(verdict: ReceiptVerdict, claims: readonly Claim[]): ReceiptLookup {
  switch (verdict) {
    case 'absent':
      return { kind: 'absent' };
    case 'disagreement':
      return {
        kind: 'unavailable',
        cause: 'the providers disagree about the block it is in',
        trouble: 'broken',
      };
    case 'no-answer':
      return unanswered(claims);
    default:
      return { kind: 'found', ...verdict };
  }
}

function unanswered(claims: readonly Claim[]): ReceiptLookup {
  const problems = claims.filter(
    (claim): claim is Problem => typeof claim === 'object' && 'problem' in claim,
  );
  return {
    kind: 'unavailable',
    cause: problems.map(({ problem }) => problem).join('; '),
    trouble: soonestOf(problems.map(({ trouble }) => trouble)),
  };
}

function isMined(claim: Claim): claim is MinedReceipt {
  return typeof claim === 'object' && 'blockHash' in claim;
}
