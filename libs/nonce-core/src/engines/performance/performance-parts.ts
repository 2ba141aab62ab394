import type { EngineObserver } from '../../engine-parts/engine-observer';
import { EpochEntrance } from './epoch-entrance';
import { FastAllocationDesk } from './fast-allocation-desk';
import { FastCommandDesk } from './fast-command-desk';
import { GrantCache } from './grant-cache';
import { GrantRecorder } from './grant-recorder';
import { IdleClose } from './idle-close';
import { LoadFree } from './load-free';
import type { PerformanceEngineOptions } from './performance-options';
import type { PerformanceEnginePorts } from './performance-ports';
import { RecordDesk } from './record-desk';
import { RefillDesk } from './refill-desk';
import { SettleDesk } from './settle-desk';
import { ViewCache } from './view-cache';

/** The parts of one performance engine, wired. */
export class PerformanceParts {
  readonly views: ViewCache;
  readonly grants: GrantCache;
  readonly refills: RefillDesk;
  readonly allocations: FastAllocationDesk;
  readonly commands: FastCommandDesk;
  readonly loadFree: LoadFree;
  readonly idleClose: IdleClose;
  private readonly records: RecordDesk;
  private readonly settles: SettleDesk;

  constructor(
    ports: PerformanceEnginePorts,
    options: PerformanceEngineOptions,
    observer: EngineObserver,
  ) {
    this.views = new ViewCache(options.maxViews);
    this.grants = new GrantCache(options.maxGrants);
    this.refills = new RefillDesk(ports, options, this.views);
    this.records = new RecordDesk(ports, options);
    this.settles = new SettleDesk(ports, options);
    const entrance = new EpochEntrance(ports, options, this.shared);
    const recorder = new GrantRecorder(ports, options, this.records, this.settles);
    this.allocations = new FastAllocationDesk(
      ports,
      options,
      { ...this.shared, records: this.records, entrance, recorder },
      observer,
    );
    this.commands = new FastCommandDesk(
      ports,
      options,
      { ...this.shared, settles: this.settles },
      observer,
    );
    this.loadFree = new LoadFree(ports, this.refills);
    this.idleClose = new IdleClose(ports, this.views);
  }

  /** First what answers callers, then what those answers need. */
  async stop(deadlineMs: number): Promise<void> {
    await Promise.all([this.allocations.stop(deadlineMs), this.commands.stop(deadlineMs)]);
    await Promise.all(
      [this.records, this.refills, this.settles].map((desk) => desk.stop(deadlineMs)),
    );
  }

  private get shared() {
    return { views: this.views, grants: this.grants, refills: this.refills };
  }
}
