import type { LastingMode } from '../domain/engine-mode';
import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type {
  ModeSnapshot,
  ModeStore,
  ModeSwitch,
  PhaseReport,
  PrefetchTuning,
  SwitchRequest,
} from '../ports/mode-store.port';
import type { StatementParameters } from './generated/sql';
import {
  pinsOf,
  toSnapshot,
  toSwitch,
  type KnownPins,
  type SnapshotRow,
  type SwitchRow,
} from './mode-row';
import type { StatementRunner } from './statement-runner';

/** Submitters that may be pinned at once: every node fetches all, about 700 kB, after each change. */
const MAX_PINS = 10_000;

interface CountRow {
  readonly found: string;
}

/**
 * The mode and its switches on Postgres, one statement each. Not guarded against another run of the
 * server: what rules has to be known while continuity is being verified.
 */
export class PostgresModeStore implements ModeStore {
  private known: KnownPins | null = null;

  constructor(
    private readonly runner: StatementRunner,
    private readonly maxPins: number = MAX_PINS,
  ) {}

  async initialise(mode: LastingMode, actor: string): Promise<void> {
    // A standby may be read, and has the mode of its primary.
    if ((await this.readRow()) !== undefined) return;
    const { initialiseMode } = this.runner.statements;
    await this.runner.run<object, StatementParameters['initialiseMode']>(initialiseMode, {
      mode,
      actor,
    });
  }

  async read(): Promise<ModeSnapshot> {
    const known = this.known;
    const row = await this.readRow(known?.version);
    if (row === undefined) {
      throw new NonceError('NONCE_INTERNAL', { message: 'no mode was ever set' });
    }
    const pins = pinsOf(row, known);
    this.known = pins;
    return toSnapshot(row, pins);
  }

  private async readRow(knownPins?: KnownPins['version']): Promise<SnapshotRow | undefined> {
    const [row] = await this.runner.run<SnapshotRow, StatementParameters['readMode']>(
      this.runner.statements.readMode,
      { maxPins: this.maxPins, knownPins: knownPins ?? null },
    );
    return row;
  }

  async switchTo(request: SwitchRequest): Promise<ModeSwitch | null> {
    const rows = await this.runner.run<SwitchRow, StatementParameters['switchMode']>(
      this.runner.statements.switchMode,
      {
        seenEpoch: request.seenEpoch,
        toMode: request.to,
        actor: request.actor,
        reason: request.reason,
        automatic: request.automatic,
        pinned: request.pinned,
        returnTo: request.returnTo,
        dwellMs: request.dwellMs,
        runner: request.runner,
        phases: JSON.stringify([request.preflight]),
      },
    );
    return firstSwitch(rows);
  }

  async history(limit: number, before?: number): Promise<readonly ModeSwitch[]> {
    const rows = await this.runner.run<SwitchRow, StatementParameters['modeHistory']>(
      this.runner.statements.modeHistory,
      { before: before ?? null, rowLimit: limit },
    );
    return rows.map(toSwitch);
  }

  async claimRunning(runner: string, silentMs: number): Promise<ModeSwitch | null> {
    const { claimRunningSwitch } = this.runner.statements;
    return firstSwitch(
      await this.runner.run<SwitchRow, StatementParameters['claimRunningSwitch']>(
        claimRunningSwitch,
        { runner, silentMs },
      ),
    );
  }

  async report(
    id: number,
    runner: string,
    progress: Parameters<ModeStore['report']>[2],
  ): Promise<boolean> {
    const { phases, waitsFor } = progress;
    const rows = await this.runner.run<object, StatementParameters['reportSwitch']>(
      this.runner.statements.reportSwitch,
      {
        id,
        runner,
        phases: JSON.stringify(phases),
        waitsFor: waitsFor === null ? null : JSON.stringify(waitsFor),
      },
    );
    return rows.length > 0;
  }

  async finish(id: number, runner: string, phases: readonly PhaseReport[]): Promise<boolean> {
    const rows = await this.runner.run<object, StatementParameters['finishSwitch']>(
      this.runner.statements.finishSwitch,
      { id, runner, phases: JSON.stringify(phases) },
    );
    return rows.length > 0;
  }

  async abort(actor: string, reason: string): Promise<ModeSwitch | null> {
    const { abortSwitch } = this.runner.statements;
    return firstSwitch(
      await this.runner.run<SwitchRow, StatementParameters['abortSwitch']>(abortSwitch, {
        actor,
        reason,
      }),
    );
  }

  async tunePrefetch(prefetch: PrefetchTuning, actor: string, reason: string): Promise<void> {
    const { tunePrefetch } = this.runner.statements;
    const rows = await this.runner.run<object, StatementParameters['tunePrefetch']>(tunePrefetch, {
      size: prefetch.size,
      lowWater: prefetch.lowWater,
      max: prefetch.max,
      actor,
      reason,
    });
    if (rows.length === 0) {
      throw new NonceError('NONCE_INTERNAL', { message: 'no mode was ever set' });
    }
  }

  async pin(submitter: Submitter, mode: LastingMode | null, actor: string): Promise<boolean> {
    const [row] = await this.runner.run<
      { verdict: 'done' | 'absent' | 'full' },
      StatementParameters['pinSubmitter']
    >(this.runner.statements.pinSubmitter, { submitter, mode, actor, maxPins: this.maxPins });
    if (row?.verdict === 'full') {
      const detail = `cannot be set for more than ${String(this.maxPins)} submitters`;
      throw new NonceError('NONCE_VALIDATION', { errors: [{ pointer: '/pinnedMode', detail }] });
    }
    return row?.verdict === 'done';
  }

  async countFastGrants(most: number): Promise<number> {
    const { countFastGrants } = this.runner.statements;
    const [row] = await this.runner.run<CountRow, StatementParameters['countFastGrants']>(
      countFastGrants,
      { most },
    );
    return Number(row?.found ?? 0);
  }

  async countFastEpochs(most: number): Promise<number> {
    const { countFastEpochs } = this.runner.statements;
    const [row] = await this.runner.run<CountRow, StatementParameters['countFastEpochs']>(
      countFastEpochs,
      { most },
    );
    return Number(row?.found ?? 0);
  }
}

function firstSwitch(rows: readonly SwitchRow[]): ModeSwitch | null {
  return rows[0] === undefined ? null : toSwitch(rows[0]);
}
