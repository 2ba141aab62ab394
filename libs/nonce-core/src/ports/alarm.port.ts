import type { Alarm, AlarmDecision, AlarmFigure, OpenAlarm } from '../domain/alarm';
import type { ChainId } from '../domain/submitter';

/** Tells people. Called again after half a minute when it fails, at most for a day. */
export interface AlarmSink {
  /** Named in logs and metrics. */
  readonly name: string;
  /** Rejects when nobody was told. May be called twice for one alarm: `id` and `state` name it. */
  deliver(alarm: Alarm): Promise<void>;
}

export interface AlarmStore {
  /** Whether this worker reaches Redis; counts for a minute. */
  reportRedis(reporter: string, up: boolean): Promise<void>;
  /** The worst figures of each kind, worst first, and what is open. */
  measure(
    chainIds: readonly ChainId[],
  ): Promise<{ readonly figures: readonly AlarmFigure[]; readonly open: readonly OpenAlarm[] }>;
  /** Of several workers that decide the same one does it. */
  apply(decision: AlarmDecision): Promise<void>;
  /** Alarms that nobody was told of yet; they are left alone by others for `claimMs`. */
  claim(claimMs: number): Promise<readonly Alarm[]>;
  /** Alarms that began or ended after an instant (microseconds); null = none, only the instant. */
  changedAfter(
    afterUs: number | null,
  ): Promise<{ readonly alarms: readonly Alarm[]; readonly atUs: number }>;
  /** They were told. */
  settle(alarms: readonly Alarm[]): Promise<void>;
}
