import {
  FromEnvironment,
  loadEnvironment,
  NonceEnvironment,
  type EnvironmentSource,
  type FieldProblem,
} from '@noncekit/nonce-core';
import { IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { readKeyFile } from './key-file';

/** Everything the worker reads from its environment; nothing else in this app reads `process.env`. */
export class WorkerEnvironment extends NonceEnvironment {
  @FromEnvironment({
    name: 'HOST',
    kind: 'text',
    reason: 'Address the admin port listens on; 127.0.0.1 keeps it on this machine.',
  })
  @Matches(/^[A-Za-z0-9.:_-]{1,255}$/, { message: '$property must be a host name or address' })
  host = '0.0.0.0';

  @FromEnvironment({
    name: 'NONCE_BURN_KEYS_FILE',
    kind: 'text',
    reason:
      'Private keys of the accounts whose nonces may be burned, one 0x… per line: a secret of the ' +
      'worker alone, readable by its user only.',
  })
  @IsOptional()
  @IsString()
  burnKeysFile?: string;

  @FromEnvironment({
    name: 'NONCE_BURN_MAX_FEE_GWEI',
    kind: 'integer',
    unit: 'gwei',
    reason: 'A burn that would pay more per unit of gas (it takes 21,000) waits and is reported.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  burnMaxFeeGwei = 1_000;

  @FromEnvironment({
    name: 'NONCE_SIGNER_KEYS_FILE',
    kind: 'text',
    reason:
      'Private keys of the accounts whose transactions are signed again at a higher fee when they are ' +
      'stuck, one 0x… per line: a secret of the worker alone. May be the file of the burn keys.',
  })
  @IsOptional()
  @IsString()
  signerKeysFile?: string;

  @FromEnvironment({
    name: 'NONCE_SIGNER_MAX_FEE_GWEI',
    kind: 'integer',
    unit: 'gwei',
    reason:
      'A transaction is not raised above this price per unit of gas; it waits and is reported.',
  })
  @IsInt()
  @Min(1)
  @Max(1_000_000_000)
  signerMaxFeeGwei = 1_000;

  override crossCheck(): readonly FieldProblem[] {
    return [...super.crossCheck(), ...this.burnProblems(), ...this.signerProblems()];
  }

  private burnProblems(): readonly FieldProblem[] {
    if (this.burnKeysFile !== undefined) {
      return readKeyFile('NONCE_BURN_KEYS_FILE', this.burnKeysFile).problems;
    }
    if (this.quarantineRelease !== 'burn') return [];
    const detail = 'burn needs NONCE_BURN_KEYS_FILE; give it, or choose replacement or hold';
    return [{ pointer: '/NONCE_QUARANTINE_RELEASE', detail }];
  }

  private signerProblems(): readonly FieldProblem[] {
    if (this.signerKeysFile === undefined) return [];
    return readKeyFile('NONCE_SIGNER_KEYS_FILE', this.signerKeysFile).problems;
  }
}

/** @throws NonceError NONCE_CONFIG_INVALID with every problem at once */
export function readWorkerEnvironment(
  source: EnvironmentSource = process.env,
  warn?: (message: string) => void,
): WorkerEnvironment {
  return loadEnvironment(WorkerEnvironment, source, warn);
}
