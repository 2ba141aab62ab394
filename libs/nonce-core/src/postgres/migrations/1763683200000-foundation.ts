import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0001_types_and_tables', '0002_guards'];

/** Tables and guards of the reliable engine. */
export class Foundation1763683200000 implements MigrationInterface {
  readonly name = 'Foundation1763683200000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
