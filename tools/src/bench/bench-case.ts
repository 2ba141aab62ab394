import type { BenchStores } from './bench-stores';
import type { Sample } from './statistics';

/** What a way of numbering promises: unlike promises must not be compared silently. */
export interface Guarantees {
  readonly crashSafe: string;
  readonly severalProcesses: string;
  readonly reuse: string;
}

export interface Contender {
  readonly name: string;
  readonly guarantees?: Guarantees;
  run(durationMs: number): Promise<Sample>;
  /** Between rounds, outside the measured time. */
  tidy?(): Promise<void>;
}

/** One ratio, taken within each round. */
export interface Comparison {
  readonly label: string;
  readonly of: string;
  readonly to: string;
  readonly by: 'perSecond' | 'p50Ms' | 'p99Ms';
  /** The figure to reach, in words; never asserted. */
  readonly target: string;
}

/** A value that is no ratio, such as bytes of a row. */
export interface Fact {
  readonly label: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string;
}

export interface OpenCase {
  readonly contenders: readonly Contender[];
  readonly comparisons: readonly Comparison[];
  /** Read after the last round. */
  facts?(): Promise<readonly Fact[]>;
  close(): Promise<void>;
}

export interface CaseSettings {
  /** Goes to the large sizes, which take minutes. */
  readonly long: boolean;
}

export interface BenchCase {
  readonly name: string;
  readonly title: string;
  /** Sentences for the page that say how to read the figures. */
  readonly notes?: readonly string[];
  /** What it needs beside Postgres; without it the case is left out, and the report says so. */
  readonly needs?: 'redis' | 'chain';
  open(stores: BenchStores, settings: CaseSettings): Promise<OpenCase>;
}
