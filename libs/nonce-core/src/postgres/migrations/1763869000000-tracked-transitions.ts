import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0055_tracked_transitions'];

/** What became of transactions, for readers in other processes. */
export class TrackedTransitions1763869000000 implements MigrationInterface {
  readonly name = 'TrackedTransitions1763869000000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
