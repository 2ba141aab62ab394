import { createBurnSigner } from '@noncekit/chain-adapter';
import type { NonceModuleOptions } from '@noncekit/nonce-core';
import { readBurnKeyFile } from './burn-key-file';
import type { WorkerEnvironment } from './env.schema';

/** The signer of this environment's burn keys, whatever the policy: burns begun are also finished. */
export function burnSignerOption({
  burnKeysFile,
  burnMaxFeeGwei: maxFeeGwei,
  chains,
}: WorkerEnvironment): Pick<NonceModuleOptions, 'burnSigner'> {
  if (burnKeysFile === undefined) return {};
  const { keys: privateKeys } = readBurnKeyFile(burnKeysFile);
  return { burnSigner: createBurnSigner({ privateKeys, chains, maxFeeGwei }) };
}
