import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0043_modes'];

/** Which mode rules, its switches, and submitters that follow another one. */
export class Modes1763862000000 implements MigrationInterface {
  readonly name = 'Modes1763862000000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
