import type { Brand, Hex } from './brand';
import { NonceError } from './errors/nonce-error';

/** Canonical CAIP-10 text `eip155:<chainId>:<0x + 40 lower-case hex>`. The only key of a queue. */
export type Submitter = Brand<string, 'Submitter'>;
/** EIP-155 chain id: a positive safe integer. */
export type ChainId = Brand<number, 'ChainId'>;

/** What callers may write: CAIP-10 text in any case, a bare address, or its parts. */
export type SubmitterInput = string | { readonly chainId: number; readonly address: string };

const CAIP10 = /^eip155:([1-9][0-9]{0,15}):(0x[0-9a-f]{40})$/;
const ADDRESS = /^0x[0-9a-f]{40}$/;

/** @throws NonceError `NONCE_VALIDATION` unless `value` is an integer in [1, 2^53 - 1]. */
export function toChainId(value: number): ChainId {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw invalid('/chainId', 'must be a positive integer');
  }
  return value as ChainId;
}

/**
 * Turns any accepted spelling into the one canonical key, before any store is touched (S13).
 * @throws NonceError `NONCE_VALIDATION` for any other spelling, or for a bare address without a
 * default chain.
 */
export function parseSubmitter(input: SubmitterInput, defaultChainId?: number): Submitter {
  if (typeof input === 'string') return parseText(input, defaultChainId);
  const parts: unknown = input; // callers of plain JavaScript may pass anything
  if (!isParts(parts)) throw invalid('/submitter', 'must be text or { chainId, address }');
  return fromParts(parts.chainId, parts.address);
}

function isParts(value: unknown): value is { chainId: number; address: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'chainId' in value &&
    typeof value.chainId === 'number' &&
    'address' in value &&
    typeof value.address === 'string'
  );
}

/** Splits a canonical submitter into its parts. */
export function submitterParts(submitter: Submitter): { chainId: ChainId; address: Hex } {
  const match = CAIP10.exec(submitter);
  if (match === null) throw invalid('/submitter', 'is not canonical');
  return { chainId: toChainId(Number(match[1])), address: match[2] as Hex };
}

function parseText(text: string, defaultChainId: number | undefined): Submitter {
  const lower = text.toLowerCase();
  if (lower.startsWith('eip155:')) {
    const match = CAIP10.exec(lower);
    if (match === null) throw invalid('/submitter', `not a CAIP-10 EVM account: ${shorten(text)}`);
    return fromParts(Number(match[1]), match[2] ?? '');
  }
  if (!ADDRESS.test(lower)) {
    throw invalid('/submitter', `neither CAIP-10 nor an address: ${shorten(text)}`);
  }
  if (defaultChainId === undefined) {
    throw invalid('/submitter', 'a bare address needs a default chain');
  }
  return fromParts(defaultChainId, lower);
}

function fromParts(chainId: number, address: string): Submitter {
  const lower = address.toLowerCase();
  if (!ADDRESS.test(lower)) throw invalid('/submitter', `not an address: ${shorten(address)}`);
  return `eip155:${toChainId(chainId)}:${lower}` as Submitter;
}

function invalid(pointer: string, detail: string): NonceError {
  return new NonceError('NONCE_VALIDATION', { errors: [{ pointer, detail }] });
}

function shorten(text: string): string {
  const limit = 80;
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}
