import type { Alarm, AlarmDecision, AlarmKind, OpenAlarm } from '../domain/alarm';
import type { ChainId } from '../domain/submitter';
import type { AlarmStore } from '../ports/alarm.port';
import type { StatementParameters } from './generated/sql';
import type { StatementRunner } from './statement-runner';

interface FigureRow {
  readonly kind: AlarmKind;
  readonly subject: string;
  readonly value: number;
}

interface OpenRow extends Omit<OpenAlarm, 'id'> {
  readonly id: string;
}

interface ClaimedRow extends FigureRow {
  readonly id: string;
  readonly threshold: number;
  /** One that ended before anybody was told is told as raised first. */
  readonly raised: boolean;
  readonly opened_ms: number;
  readonly cleared_ms: number | null;
}

interface ChangedRow extends Omit<ClaimedRow, 'id'> {
  readonly now_us: string;
  /** null in a row that only tells the instant. */
  readonly id: string | null;
}

/** Of each kind, beside those that are open: far more than are raised at a time. */
const WORST = 1_000;
const OPEN_MAX = 1_000;
const CLAIMED_MAX = 50;
/** Changes of some seconds: more than may be open. */
const CHANGED_MAX = 1_000;

/** Alarms as rows, one statement each. */
export class PostgresAlarmStore implements AlarmStore {
  constructor(private readonly runner: StatementRunner) {}

  async reportRedis(reporter: string, up: boolean): Promise<void> {
    await this.runner.run<object, StatementParameters['reportRedis']>(
      this.runner.statements.reportRedis,
      { reporter, up },
    );
  }

  async measure(chainIds: readonly ChainId[]): ReturnType<AlarmStore['measure']> {
    const { measureAlarms, openAlarms } = this.runner.statements;
    const open = await this.runner.run<OpenRow, StatementParameters['openAlarms']>(openAlarms, {
      rowLimit: OPEN_MAX,
    });
    const rows = await this.runner.run<FigureRow, StatementParameters['measureAlarms']>(
      measureAlarms,
      { chainIds: [...chainIds], worst: WORST + open.length },
    );
    return {
      figures: rows,
      open: open.map((alarm) => ({ ...alarm, id: Number(alarm.id) })),
    };
  }

  async apply({ raise, clear }: AlarmDecision): Promise<void> {
    if (raise.length + clear.length === 0) return;
    await this.runner.run<object, StatementParameters['changeAlarms']>(
      this.runner.statements.changeAlarms,
      {
        kinds: raise.map(({ kind }) => kind),
        subjects: raise.map(({ subject }) => subject),
        figures: raise.map(({ value }) => Math.round(value)),
        thresholds: raise.map(({ threshold }) => threshold),
        clear: [...clear],
      },
    );
  }

  async claim(claimMs: number): Promise<readonly Alarm[]> {
    const rows = await this.runner.run<ClaimedRow, StatementParameters['claimAlarms']>(
      this.runner.statements.claimAlarms,
      { claimMs, rowLimit: CLAIMED_MAX },
    );
    return rows.map(toAlarm);
  }

  async changedAfter(afterUs: number | null): ReturnType<AlarmStore['changedAfter']> {
    const rows = await this.runner.run<ChangedRow, StatementParameters['changedAlarms']>(
      this.runner.statements.changedAlarms,
      { afterUs: afterUs ?? 0, rowLimit: afterUs === null ? 0 : CHANGED_MAX },
    );
    return {
      alarms: rows.flatMap(({ id, ...row }) => (id === null ? [] : [toAlarm({ ...row, id })])),
      atUs: Number(rows[0]?.now_us ?? 0),
    };
  }

  async settle(alarms: readonly Alarm[]): Promise<void> {
    if (alarms.length === 0) return;
    await this.runner.run<object, StatementParameters['settleAlarms']>(
      this.runner.statements.settleAlarms,
      { ids: alarms.map(({ id }) => id), raised: alarms.map(({ state }) => state === 'raised') },
    );
  }
}

function toAlarm(row: ClaimedRow): Alarm {
  const { kind, subject, value, threshold, raised, opened_ms, cleared_ms } = row;
  return {
    ...{ kind, subject, value, threshold, id: Number(row.id) },
    state: raised ? 'raised' : 'cleared',
    openedAt: new Date(opened_ms),
    clearedAt: cleared_ms === null ? null : new Date(cleared_ms),
  };
}
