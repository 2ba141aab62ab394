import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0020_fast_columns'];

/** Epochs in which a fast store issues nonces, and rows of grants that Postgres hears of late. */
export class FastEpochs1763856000000 implements MigrationInterface {
  readonly name = 'FastEpochs1763856000000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
