import { Pool } from 'pg';
import { SCHEMA } from '../bench-stores';
import { commandParameters, RAW_COMMAND, type RawCommand } from './raw-statements';
import { RawCoalescer } from './raw-coalescer';

/** The engine's command statement behind the least possible program. */
export class RawHolder {
  private readonly pool: Pool;
  private readonly coalescer = new RawCoalescer<RawCommand, string>((commands) =>
    this.tellAll(commands),
  );

  constructor(databaseUrl: string) {
    this.pool = new Pool({ connectionString: databaseUrl, max: 10 });
  }

  async tell(command: RawCommand): Promise<void> {
    const verdict = await this.coalescer.submit(command);
    if (verdict !== 'done') throw new Error(`${command.command} was answered with ${verdict}`);
  }

  /** Lets nonces be claimed that no ceiling was raised for. */
  async liftCeiling(submitter: string): Promise<void> {
    await this.pool.query(
      `UPDATE ${SCHEMA}.submitter_nonce_state SET ceiling = 1000000000 WHERE submitter = $1`,
      [submitter],
    );
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  private async tellAll(commands: readonly RawCommand[]): Promise<string[]> {
    const values = commandParameters(commands);
    const { rows } = await this.pool.query<{ ord: number; verdict: string }>({
      ...RAW_COMMAND,
      values,
    });
    const verdicts: string[] = [];
    for (const { ord, verdict } of rows) verdicts[ord - 1] = verdict;
    return verdicts;
  }
}
