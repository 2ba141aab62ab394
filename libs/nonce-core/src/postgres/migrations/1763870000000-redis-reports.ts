import type { MigrationInterface, QueryRunner } from 'typeorm';
import type { MigrationScript } from '../generated/migrations';
import { refuseToGoBack, runScripts } from './run-scripts';

const SCRIPTS: readonly MigrationScript[] = ['0056_redis_reports'];

/** Whether workers reach Redis, for the alarm that it is away. */
export class RedisReports1763870000000 implements MigrationInterface {
  readonly name = 'RedisReports1763870000000';

  async up(runner: QueryRunner): Promise<void> {
    await runScripts(runner, SCRIPTS);
  }

  down(): Promise<void> {
    return refuseToGoBack();
  }
}
