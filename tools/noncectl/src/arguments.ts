import { ENGINE_MODES, type EngineMode } from '@noncekit/nonce-core/domain';
import { InvalidArgumentError } from 'commander';

const WHOLE = /^(?:0|[1-9]\d{0,15})$/;
const MAX_REASON_LENGTH = 500;

export function wholeNumber(text: string): number {
  if (!WHOLE.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

/** Kept in the audit, so it is asked for before a server is. */
export function reason(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_REASON_LENGTH) return text;
  throw new InvalidArgumentError(`It has to be text of 1 to ${MAX_REASON_LENGTH} characters.`);
}

/** `dual-write` is DUAL_WRITE, in any case. */
export function engineMode(text: string): EngineMode {
  const name = text.toUpperCase().replaceAll('-', '_');
  const mode = ENGINE_MODES.find((known) => known === name);
  if (mode !== undefined) return mode;
  throw new InvalidArgumentError(`Modes are ${ENGINE_MODES.join(', ')}.`);
}
