/** When Redis counts as failed, and when it is trusted again. */
export interface DegradeOptions {
  /** False: allocations are refused while Redis fails, and nothing is switched. */
  readonly onRedisFailure?: boolean;
  /** Failures in a row of one shard, 1…1,000. */
  readonly failures?: number;
  /** More than half of the calls of this time failing is as bad, 100 ms to 10 min. */
  readonly windowMs?: number;
  /** Longest time between looks at a Redis that failed, 50 ms to 10 min. */
  readonly probeIntervalMs?: number;
  /** Time without a failure after which it is trusted again, 100 ms to 1 day. */
  readonly returnAfterMs?: number;
  /** Each relapse within 10 min doubles that time, up to this. */
  readonly maxDwellMs?: number;
}

/** How processes follow a switch of the mode. */
export interface ModesOptions {
  /** How long a call waits for a switch before it is refused, 0 to 10 min. */
  readonly waitMs?: number;
  /** Between looks at the mode in Postgres, 20 ms to 60 s. */
  readonly pollMs?: number;
  /** How long DRAIN waits for live holders before their grants become rows, 0 to 1 h. */
  readonly drainDeadlineMs?: number;
}

/** Walks from RELIABLE over DUAL_WRITE to PERFORMANCE by itself. */
export interface AutoPromoteOptions {
  readonly enabled?: boolean;
  /** Load of one process that asks for it, 1…1,000,000. */
  readonly allocationsPerSecond?: number;
  /** For so long without a break, 1 s to 1 day. */
  readonly sustainedMs?: number;
}

/** From where on health shows a part as degraded. */
export interface HealthOptions {
  /** Events that wait for Postgres, 1…100,000,000. */
  readonly queueMax?: number;
  /** Age of the oldest of them, 100 ms to 1 day. */
  readonly queueAgeMs?: number;
  /** Pieces of flush work that must succeed, 0…100 percent. */
  readonly flushSuccessPercent?: number;
  /** Answer of Postgres, 1 ms to 60 s. */
  readonly databaseLatencyMs?: number;
}

/** What a host writes about switching; every default is in `option-defaults.ts`. */
export interface SwitchingOptions {
  readonly degrade?: DegradeOptions;
  readonly modes?: ModesOptions;
  readonly autoPromote?: AutoPromoteOptions;
  readonly health?: HealthOptions;
}

export type ResolvedSwitching = {
  readonly [Group in keyof SwitchingOptions]-?: Readonly<
    Required<NonNullable<SwitchingOptions[Group]>>
  >;
};
