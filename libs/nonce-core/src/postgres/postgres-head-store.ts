import type { Hex } from '../domain/brand';
import type { ChainId, Submitter } from '../domain/submitter';
import type { BlockRef } from '../ports/chain.port';
import type { HeadAdvance, HeadStore } from '../ports/head-store.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface HeaderRow {
  readonly number: string;
  readonly hash: string;
  readonly parent_hash: string;
}

/** Heads in Postgres: each step is one statement, conditional on the head before it. */
export class PostgresHeadStore implements HeadStore {
  constructor(private readonly runner: StatementRunner) {}

  async load(chainId: ChainId): Promise<readonly BlockRef[]> {
    const rows = await this.runner.run<HeaderRow, StatementParameters['loadHeaders']>(
      this.runner.statements.loadHeaders,
      { chainId },
    );
    return rows.map(({ number, hash, parent_hash }) => ({
      number: Number(number),
      hash: hash as Hex,
      parentHash: parent_hash as Hex,
    }));
  }

  async advance(step: HeadAdvance): Promise<boolean> {
    const rows = await this.runner.run<{ advanced: boolean }, StatementParameters['advanceHead']>(
      this.runner.statements.advanceHead,
      {
        chainId: step.chainId,
        expected: step.expected,
        fork: step.fork,
        numbers: step.headers.map(({ number }) => number),
        hashes: step.headers.map(({ hash }) => hash),
        parents: step.headers.map(({ parentHash }) => parentHash),
        transactions: step.transactions,
        confirmed: step.confirmedNumber,
        final: step.finalNumber,
      },
    );
    return rows[0]?.advanced === true;
  }

  async freeze(chainId: ChainId, reason: string): Promise<readonly Submitter[]> {
    const rows = await this.runner.run<
      { submitter: Submitter },
      StatementParameters['freezeChain']
    >(this.runner.statements.freezeChain, { chainId, reason });
    return rows.map(({ submitter }) => submitter);
  }
}
