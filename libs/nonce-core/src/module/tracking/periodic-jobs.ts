import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnModuleDestroy,
} from '@nestjs/common';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { Logger } from '../../ports/logger.port';
import type { PeriodicJob } from './periodic-job';

/**
 * Owns the timers of all periodic jobs. They are registered with Nest's scheduler, so that a host
 * sees them there, and end here: from the first word of a shutdown no job begins, and what runs is
 * given until the deadline. Whatever is cut off is found again by the next worker's scan.
 */
export class PeriodicJobs
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
{
  private draining = false;
  private readonly intervals: string[] = [];
  private readonly wakings: (() => void)[] = [];

  constructor(
    private readonly registry: SchedulerRegistry,
    private readonly jobs: readonly PeriodicJob[],
    private readonly logger: Logger,
    private readonly deadlineMs: number,
  ) {}

  get isDraining(): boolean {
    return this.draining;
  }

  onApplicationBootstrap(): void {
    for (const job of this.jobs) {
      const tick = (): void => void job.tick();
      const name = this.unusedName(`noncekit ${job.plan.name}`);
      this.registry.addInterval(name, setInterval(tick, job.plan.intervalMs));
      this.intervals.push(name);
      const waking = job.plan.wakes?.(() => {
        job.wake();
      });
      if (waking !== undefined) this.wakings.push(waking);
      tick();
    }
  }

  onModuleDestroy(): void {
    this.draining = true;
    for (const name of this.intervals.splice(0)) this.registry.deleteInterval(name);
    for (const end of this.wakings.splice(0)) end();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (!(await this.stop(this.deadlineMs))) {
      this.logger.warn('periodic jobs did not end in time', { deadlineMs: this.deadlineMs });
    }
  }

  /** @returns false when something still ran at the deadline. */
  async stop(deadlineMs: number): Promise<boolean> {
    this.draining = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, false);
    });
    const drained = Promise.all(this.jobs.map((job) => job.drain())).then(() => true);
    try {
      return await Promise.race([drained, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Down when a job has not finished a tick for long, whatever the reason. */
  check(key: string): HealthIndicatorResult {
    const facts = this.jobs.map((job) => [job.plan.name, job.health()] as const);
    const up = facts.every(([, health]) => health.up);
    return { [key]: { status: up ? 'up' : 'down', ...Object.fromEntries(facts) } };
  }

  /** Two modules of one application share the registry. */
  private unusedName(name: string): string {
    for (let count = 1; ; count += 1) {
      const numbered = count === 1 ? name : `${name} ${count}`;
      if (!this.registry.doesExist('interval', numbered)) return numbered;
    }
  }
}
