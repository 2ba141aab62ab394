import {
  FromEnvironment,
  loadEnvironment,
  NonceEnvironment,
  type FieldProblem,
} from '@noncekit/nonce-core';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';
import { readApiKeyFile } from './api-key-file';
import { AUTH_MODES, type AuthMode } from '../http/authenticator';

const MAX_PORT = 65_535;

/** Everything the API reads from its environment; nothing else in this app reads `process.env`. */
export class ApiEnvironment extends NonceEnvironment {
  @FromEnvironment({
    name: 'HOST',
    kind: 'text',
    reason: 'Address both ports listen on; 127.0.0.1 keeps them on this machine.',
  })
  @Matches(/^[A-Za-z0-9.:_-]{1,255}$/, { message: '$property must be a host name or address' })
  host = '0.0.0.0';

  @FromEnvironment({
    name: 'PORT',
    kind: 'integer',
    reason: 'Public port: the API, its documentation and the pages about errors. 0 = any free one.',
  })
  @IsInt()
  @Min(0)
  @Max(MAX_PORT)
  port = 3_000;

  @FromEnvironment({
    name: 'NONCE_AUTH_MODE',
    kind: 'text',
    reason: '`none` lets everybody do everything; refused when NODE_ENV is production.',
  })
  @IsIn(AUTH_MODES)
  authMode: AuthMode = 'api-key';

  @FromEnvironment({
    name: 'NONCE_API_KEYS_FILE',
    kind: 'text',
    reason: 'Keys to have from the start, one `name:scope,scope:key` per line; kept as digests.',
  })
  @IsOptional()
  @IsString()
  apiKeysFile?: string;

  @FromEnvironment({
    name: 'NODE_ENV',
    kind: 'text',
    reason: '`production` refuses settings that are only fit for development.',
  })
  @IsString()
  nodeEnvironment = 'development';

  override crossCheck(): readonly FieldProblem[] {
    const problems = [...super.crossCheck()];
    if (this.authMode === 'none' && this.nodeEnvironment === 'production') {
      const detail = 'none is refused in production; create API keys instead';
      problems.push({ pointer: '/NONCE_AUTH_MODE', detail });
    }
    if (this.port === this.adminPort && this.port !== 0) {
      problems.push({ pointer: '/NONCE_ADMIN_PORT', detail: 'must differ from PORT' });
    }
    return [...problems, ...this.apiKeyProblems()];
  }

  private apiKeyProblems(): readonly FieldProblem[] {
    return this.apiKeysFile === undefined ? [] : readApiKeyFile(this.apiKeysFile).problems;
  }
}

/** @throws NonceError NONCE_CONFIG_INVALID with every problem at once */
export function readApiEnvironment(
  source: Readonly<Record<string, string | undefined>> = process.env,
): ApiEnvironment {
  return loadEnvironment(ApiEnvironment, source, (message) => {
    process.stderr.write(`${message}\n`);
  });
}
