import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0050_chain_generations'];

/** Chains that were reset, reorgs below the issuing floor, and accounts that delegate to code. */
export class ChainGenerations1763865000000 implements MigrationInterface {
  readonly name = 'ChainGenerations1763865000000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
