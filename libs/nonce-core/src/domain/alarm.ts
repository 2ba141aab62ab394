/** What people are called for; one page each in docs/runbooks. */
export const ALARM_KINDS = [
  'reserved-age',
  'recyclable-growth',
  'chain-lag',
  'alignment',
  'degraded',
] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

/** Raised at the threshold, cleared well below it, so that a figure at the edge calls nobody twice. */
export type AlarmThresholds = Readonly<Record<AlarmKind, number>>;

/** One measured figure: of a submitter, of the mode, or of Redis. */
export interface AlarmFigure {
  readonly kind: AlarmKind;
  readonly subject: string;
  readonly value: number;
}

export interface Alarm extends AlarmFigure {
  /** Grows with every alarm; the same when it is cleared. */
  readonly id: number;
  readonly threshold: number;
  readonly state: 'raised' | 'cleared';
  readonly openedAt: Date;
  readonly clearedAt: Date | null;
}

export interface OpenAlarm {
  readonly id: number;
  readonly kind: AlarmKind;
  readonly subject: string;
  /** In force when it was raised: a new setting moves no open alarm by itself. */
  readonly threshold: number;
}

export interface AlarmDecision {
  readonly raise: readonly (AlarmFigure & { readonly threshold: number })[];
  /** Ids of open alarms whose figure fell, or is measured no more. */
  readonly clear: readonly number[];
}

/** Page that says what to do. */
export function runbookOf(kind: AlarmKind): string {
  return `docs/runbooks/${kind}.md`;
}
