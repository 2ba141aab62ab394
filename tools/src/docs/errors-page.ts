import { ERROR_CATALOGUE } from '@noncekit/nonce-core';
import { code, page, table } from './markdown';

/** One row and one anchor per error code. */
export function errorsPage(): string {
  const entries = Object.entries(ERROR_CATALOGUE);
  const overview = table(
    ['code', 'HTTP', 'retry the same call', 'meaning'],
    entries.map(([name, entry]) => [
      `[${name}](#${name.toLowerCase()})`,
      String(entry.status),
      entry.retryable ? 'yes' : 'no',
      entry.title,
    ]),
  );
  const details = entries.map(([name, entry]) =>
    [`## ${name}`, entry.title, `**Fix.** ${entry.fix}`].join('\n\n'),
  );
  return page('Errors', 'libs/nonce-core/src/domain/errors/catalogue.ts', [
    `Callers branch on the code; texts may change. Over HTTP every error is an ${code('application/problem+json')} document with ${code('code')}, ${code('retryable')}, ${code('fix')}, ${code('context')}, ${code('requestId')} and ${code('errors')}.`,
    overview,
    ...details,
  ]);
}
