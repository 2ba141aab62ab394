import { readFileSync } from 'node:fs';
import { EXIT } from '../exit-codes';
import { Failure } from '../failure';
import type { Connection } from './api-client';

const DEFAULT_URL = 'http://127.0.0.1:3000';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which API, and with which key. The key comes from the environment or a file only: parameters of
 * programs are seen by everybody on the machine.
 * @throws Failure exit code 2
 */
export function connectionOf(url: string | undefined, environment: Environment): Connection {
  return {
    url: checkedUrl(url ?? (environment['NONCE_API_URL'] || DEFAULT_URL)),
    key: keyOf(environment),
  };
}

function checkedUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw wrong(`${text} is not a URL`, 'Give an address like http://127.0.0.1:3000.');
}

function keyOf(environment: Environment): string | null {
  const { NONCE_API_KEY: key, NONCE_API_KEY_FILE: file } = environment;
  if (key !== undefined && key !== '') return key;
  if (file === undefined || file === '') return null;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw wrong(
      `NONCE_API_KEY_FILE: ${(error as Error).message}`,
      'Name a file that holds an API key and that you may read.',
    );
  }
}

function wrong(detail: string, fix: string): Failure {
  return new Failure({ code: 'NONCECTL_USAGE', detail, fix, exitCode: EXIT.usage });
}
