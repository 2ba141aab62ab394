import { NonceError } from '../domain/errors/nonce-error';
import { parseSubmitter, type SubmitterInput } from '../domain/submitter';
import type { SubmitterDefaults } from '../ports/submitter-store.port';
import type { Submitter } from '../domain/submitter';
import type { NonceContext } from './nonce-context';
import type { TemplateSettings } from './template-settings';
import type { NonceWork, WithNonceOptions } from './with-nonce';

export interface PlanFacts {
  readonly settings: TemplateSettings;
  readonly defaultChainId: number | undefined;
  readonly defaultsOf: (submitter: Submitter) => Promise<SubmitterDefaults>;
  /** The handler that makes this call, if one does. */
  readonly caller: NonceContext | undefined;
}

/**
 * What one call will do: its own options, else the submitter's settings, else the general ones.
 * @throws NonceError NONCE_VALIDATION.
 */
export async function planWork(
  input: SubmitterInput,
  options: WithNonceOptions,
  facts: PlanFacts,
): Promise<NonceWork> {
  const { settings, caller } = facts;
  const submitter = parseSubmitter(input, facts.defaultChainId);
  const { operationId } = options;
  if (operationId !== undefined && caller?.operationId === operationId) {
    // The call would wait for the handler that waits for it.
    if (caller.submitter === submitter)
      throw invalid('/operationId', 'is run by this very handler');
  }
  const maxAttempts = options.maxAttempts ?? settings.maxAttempts;
  if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 1) {
    throw invalid('/maxAttempts', 'must be a positive integer');
  }
  const defaults = await facts.defaultsOf(submitter);
  return {
    submitter,
    operationId,
    ttlMs: options.ttlMs ?? defaults.ttlMs ?? settings.ttlMs,
    exposure: options.exposure ?? defaults.exposure ?? settings.exposure,
    maxAttempts,
    waitMs: options.waitMs ?? settings.waitMs,
    rerun: options.rerun ?? false,
    signal: options.signal,
    startNonce: options.startNonce,
    metadata: options.metadata,
  };
}

function invalid(pointer: string, detail: string): NonceError {
  return new NonceError('NONCE_VALIDATION', { errors: [{ pointer, detail }] });
}
