import { Injectable, type PipeTransform } from '@nestjs/common';
import { NonceError, parseSubmitter, toNonce, MAX_NONCE } from '@noncekit/nonce-core';
import type { Nonce, Submitter } from '@noncekit/nonce-core';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DECIMAL = /^(?:0|[1-9]\d{0,15})$/;

/** Chain of a bare address in a path; undefined when `NONCE_DEFAULT_CHAIN_ID` is not set. */
export class DefaultChain {
  constructor(readonly id: number | undefined) {}
}

/** `{submitter}` of a path in any accepted spelling → the canonical key (S13). */
@Injectable()
export class SubmitterPipe implements PipeTransform<string, Submitter> {
  constructor(private readonly defaultChain: DefaultChain) {}

  transform(text: string): Submitter {
    return parseSubmitter(text, this.defaultChain.id);
  }
}

/** `{id}` of a path: a uuid, in any case. */
@Injectable()
export class IdPipe implements PipeTransform<string, string> {
  transform(text: string): string {
    const lower = text.toLowerCase();
    if (!UUID.test(lower)) throw invalid('/id', 'must be a uuid');
    return lower;
  }
}

/**
 * An id of a path that counts from 1. A function and no pipe: a parameter that is declared a number
 * is made one by the global pipe before its own pipe sees the text, and 1e3 would be 1000.
 */
export function countedId(text: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value < Number.MAX_SAFE_INTEGER) return value;
  throw invalid('/id', 'must be a whole number above 0');
}

/**
 * `{n}` of a path: decimal digits only, without sign, exponent or leading zero. No pipe, as `countedId`.
 */
export function pathNonce(text: string): Nonce {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (!(value <= MAX_NONCE)) throw invalid('/nonce', `must be an integer in [0, ${MAX_NONCE}]`);
  return toNonce(value);
}

function invalid(pointer: string, detail: string): NonceError {
  return new NonceError('NONCE_VALIDATION', { errors: [{ pointer, detail }] });
}
