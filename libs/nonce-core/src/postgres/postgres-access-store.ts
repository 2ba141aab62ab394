import type { AccessStore, ApiKey, ApiScope } from '../ports/access-store.port';
import { NonceError } from '../domain/errors/nonce-error';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: ApiScope[];
}

/** API keys by digest, and the audit. */
export class PostgresAccessStore implements AccessStore {
  constructor(private readonly runner: StatementRunner) {}

  async findKey(digest: string): Promise<ApiKey | null> {
    const rows = await this.runner.run<KeyRow, StatementParameters['findApiKey']>(
      this.runner.statements.findApiKey,
      { digest },
    );
    return rows[0] ?? null;
  }

  async saveKey(key: Parameters<AccessStore['saveKey']>[0]): Promise<ApiKey> {
    const rows = await this.runner.run<KeyRow, StatementParameters['saveApiKey']>(
      this.runner.statements.saveApiKey,
      { name: key.name, digest: key.digest, scopes: key.scopes },
    );
    const saved = rows[0];
    if (saved === undefined) throw new NonceError('NONCE_INTERNAL', { message: 'key not saved' });
    return saved;
  }

  async audit(entry: Parameters<AccessStore['audit']>[0]): Promise<void> {
    await this.runner.run(this.runner.statements.writeAudit, {
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      reason: entry.reason,
      detail: entry.detail === undefined ? null : JSON.stringify(entry.detail),
    });
  }
}
