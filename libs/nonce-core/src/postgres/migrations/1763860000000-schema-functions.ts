import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0041_schema_functions'];

/** Which version of the functions a schema has. */
export class SchemaFunctions1763860000000 implements MigrationInterface {
  readonly name = 'SchemaFunctions1763860000000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
