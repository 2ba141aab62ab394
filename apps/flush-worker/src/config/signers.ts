import { createBurnSigner, createSigner } from '@noncekit/chain-adapter';
import type { NonceModuleOptions } from '@noncekit/nonce-core';
import type { WorkerEnvironment } from './env.schema';
import { readKeyFile } from './key-file';

/** The signers of this environment's keys. */
export function signerOptions(
  environment: WorkerEnvironment,
): Pick<NonceModuleOptions, 'burnSigner' | 'signer'> {
  return { ...burnSignerOption(environment), ...signerOption(environment) };
}

/** Whatever the policy: burns begun are also finished. */
function burnSignerOption({
  burnKeysFile,
  burnMaxFeeGwei: maxFeeGwei,
  chains,
}: WorkerEnvironment): Pick<NonceModuleOptions, 'burnSigner'> {
  if (burnKeysFile === undefined) return {};
  const { keys: privateKeys } = readKeyFile('NONCE_BURN_KEYS_FILE', burnKeysFile);
  return { burnSigner: createBurnSigner({ privateKeys, chains, maxFeeGwei }) };
}

function signerOption({
  signerKeysFile,
  signerMaxFeeGwei: maxFeeGwei,
  chains,
}: WorkerEnvironment): Pick<NonceModuleOptions, 'signer'> {
  if (signerKeysFile === undefined) return {};
  const { keys: privateKeys } = readKeyFile('NONCE_SIGNER_KEYS_FILE', signerKeysFile);
  return { signer: createSigner({ privateKeys, chains, maxFeeGwei }) };
}
