import { isNonceError } from '@noncekit/nonce-core';
import { readApiEnvironment } from '../config/env.schema';

const MINIMAL = { NONCE_DATABASE_URL: 'postgres://localhost/x' };

function problemsOf(source: Readonly<Record<string, string>>): readonly string[] {
  try {
    readApiEnvironment(source);
    return [];
  } catch (error) {
    if (!isNonceError(error, 'NONCE_CONFIG_INVALID')) throw error;
    return error.errors.map((problem) => problem.pointer);
  }
}

describe('the environment of the API', () => {
  it('needs a database and nothing else', () => {
    expect(readApiEnvironment(MINIMAL)).toMatchObject({
      host: '0.0.0.0',
      port: 3000,
      adminPort: 9464,
      authMode: 'api-key',
    });
  });

  it('reports every problem at once', () => {
    const problems = problemsOf({
      PORT: '1e3',
      NONCE_ADMIN_PORT: '70000',
      NONCE_AUTH_MODE: 'open',
      HOST: 'a b',
      LOG_LEVEL: 'loud',
    });
    expect(new Set(problems)).toEqual(
      new Set([
        '/NONCE_DATABASE_URL',
        '/PORT',
        '/NONCE_ADMIN_PORT',
        '/NONCE_AUTH_MODE',
        '/HOST',
        '/LOG_LEVEL',
      ]),
    );
  });

  it('refuses to let everybody in where NODE_ENV is production', () => {
    const open = { ...MINIMAL, NONCE_AUTH_MODE: 'none' };
    expect(problemsOf(open)).toEqual([]);
    expect(problemsOf({ ...open, NODE_ENV: 'production' })).toEqual(['/NONCE_AUTH_MODE']);
  });

  it('refuses one port for both servers, and a file of keys that is not there', () => {
    const same = { ...MINIMAL, PORT: '4000', NONCE_ADMIN_PORT: '4000' };
    expect(problemsOf({ ...same, NONCE_API_KEYS_FILE: '/nowhere/keys' })).toEqual([
      '/NONCE_ADMIN_PORT',
      '/NONCE_API_KEYS_FILE',
    ]);
  });
});
