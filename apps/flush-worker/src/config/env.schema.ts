import {
  FromEnvironment,
  loadEnvironment,
  NonceEnvironment,
  type EnvironmentSource,
} from '@noncekit/nonce-core';
import { Matches } from 'class-validator';

/** Everything the worker reads from its environment; nothing else in this app reads `process.env`. */
export class WorkerEnvironment extends NonceEnvironment {
  @FromEnvironment({
    name: 'HOST',
    kind: 'text',
    reason: 'Address the admin port listens on; 127.0.0.1 keeps it on this machine.',
  })
  @Matches(/^[A-Za-z0-9.:_-]{1,255}$/, { message: '$property must be a host name or address' })
  host = '0.0.0.0';
}

/** @throws NonceError NONCE_CONFIG_INVALID with every problem at once */
export function readWorkerEnvironment(
  source: EnvironmentSource = process.env,
  warn?: (message: string) => void,
): WorkerEnvironment {
  return loadEnvironment(WorkerEnvironment, source, warn);
}
