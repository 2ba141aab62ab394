import type { Epoch } from '../domain/epoch';
import type { Nonce } from '../domain/nonce';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type { AllocateAnswer } from '../ports/allocation-store.port';
import type {
  FastBindingRequest,
  FastEpochAnswer,
  FastEpochRequest,
  FastEpochStore,
  FastRecordAnswer,
  FastRecordRow,
  FastRefillRequest,
  IntentPolicy,
  TakeOverRow,
  TakeOverVerdict,
} from '../ports/fast-epoch-store.port';
import type { FastView } from '../ports/fast-store.port';
import {
  decodeRecord,
  recordColumns,
  type DecodedRecord,
  type RecordReply,
} from './fast-record-columns';
import type { StatementParameters } from './generated/sql';
import { readAllocations, replayOf } from './read-allocations';
import type { StatementRunner } from './statement-runner';

interface EpochReply {
  readonly kind: 'epoch' | 'absent' | 'mode' | 'stale';
  readonly ord: number;
  readonly epoch: string;
  readonly incarnation: string;
  readonly won: boolean;
  readonly base: string;
  readonly ceiling: string;
  readonly floor_count: string;
  readonly window_end: string | null;
  readonly max_reserved: number;
  readonly reserved: number;
  readonly paused: boolean;
  readonly free: readonly string[];
  readonly tainted: readonly boolean[];
  readonly more: boolean;
  readonly loan: string;
  readonly loan_seen: string;
}

interface ViewReply {
  readonly submitter: string;
  readonly epoch: string;
  readonly incarnation: string;
}

type EpochParameters = StatementParameters['enterFastEpochs'];
type RefillParameters = StatementParameters['refillFastEpochs'];

/** Free nonces handed over at most at once per submitter; more are fetched by the next refill. */
const FREE_LIMIT = 256;
/** "No window": larger than any nonce that is issued. */
const NO_WINDOW_END = Number.MAX_SAFE_INTEGER;

/** The authority over fast epochs on Postgres: one function call per batch. */
export class PostgresFastEpochStore implements FastEpochStore {
  constructor(
    private readonly runner: StatementRunner,
    private readonly quarantine: QuarantinePolicy,
  ) {}

  async enter(
    requests: readonly FastEpochRequest[],
    intents: IntentPolicy,
    modeEpoch: number,
  ): Promise<readonly FastEpochAnswer[]> {
    if (requests.length === 0) return [];
    const replies = await this.runner.run<EpochReply, EpochParameters>(
      this.runner.statements.enterFastEpochs,
      {
        submitters: requests.map((request) => request.submitter),
        incarnations: requests.map((request) => request.incarnation),
        badEpochs: requests.map((request) => request.badEpoch),
        raises: requests.map((request) => request.raise),
        windows: requests.map((request) => request.defaultWindow),
        reasons: requests.map((request) => request.reason),
        modeEpoch,
        ...this.common(intents),
      },
    );
    return requests.map((request, i) => toAnswer(request.submitter, replies[i]));
  }

  async refill(
    requests: readonly FastRefillRequest[],
    intents: IntentPolicy,
  ): Promise<readonly FastEpochAnswer[]> {
    if (requests.length === 0) return [];
    const replies = await this.runner.run<EpochReply, RefillParameters>(
      this.runner.statements.refillFastEpochs,
      {
        submitters: requests.map(({ view }) => view.submitter),
        incarnations: requests.map(({ view }) => view.incarnation),
        epochs: requests.map(({ view }) => view.epoch),
        ceilings: requests.map((request) => request.ceilingSeen),
        raises: requests.map((request) => request.raise),
        windows: requests.map((request) => request.defaultWindow),
        loans: requests.map((request) => request.loanSeen ?? null),
        ...this.common(intents),
      },
    );
    return requests.map(({ view }, i) => toAnswer(view.submitter, replies[i]));
  }

  async record(rows: readonly FastRecordRow[]): Promise<readonly FastRecordAnswer[]> {
    if (rows.length === 0) return [];
    const replies = await this.runner.run<RecordReply, StatementParameters['recordGrants']>(
      this.runner.statements.recordGrants,
      recordColumns(rows),
    );
    const decoded = decodeRecord(rows, replies);
    return this.complete(decoded);
  }

  async findBindings(
    requests: readonly FastBindingRequest[],
  ): Promise<readonly (AllocateAnswer | null)[]> {
    if (requests.length === 0) return [];
    const replies = await this.runner.run<RecordReply, StatementParameters['findBindings']>(
      this.runner.statements.findBindings,
      {
        submitters: requests.map((request) => request.submitter),
        operations: requests.map((request) => request.operationId),
        hashes: requests.map((request) => request.requestHash),
        counts: requests.map((request) => request.count),
        exposures: requests.map((request) => request.exposure),
      },
    );
    const answers = await this.complete(decodeRecord([], replies));
    return answers.map((answer) => (answer.kind === 'fenced' ? null : answer));
  }

  async close(view: FastView, retiredNext: number | null, reason: string): Promise<boolean> {
    const { ms: quarantineMs, release } = this.quarantine;
    const rows = await this.runner.run<
      { epoch: string | null },
      StatementParameters['closeFastEpoch']
    >(this.runner.statements.closeFastEpoch, {
      submitter: view.submitter,
      epoch: view.epoch,
      retiredNext,
      reason,
      quarantineMs,
      release,
    });
    return (rows[0]?.epoch ?? null) !== null;
  }

  async takeOver(
    rows: readonly TakeOverRow[],
    modeEpoch: number,
  ): Promise<readonly TakeOverVerdict[]> {
    if (rows.length === 0) return [];
    const { ms: quarantineMs, release } = this.quarantine;
    const replies = await this.runner.run<
      { verdict: TakeOverVerdict },
      StatementParameters['takeOverSubmitters']
    >(this.runner.statements.takeOverSubmitters, {
      submitters: rows.map(({ submitter }) => submitter),
      epochs: rows.map(({ ending }) => ending?.epoch ?? null),
      retiredNexts: rows.map(({ ending }) => ending?.retiredNext ?? null),
      modeEpoch,
      skipLocked: rows.length > 1,
      quarantineMs,
      release,
    });
    return replies.map(({ verdict }) => verdict);
  }

  async awaitingLoad(limit: number): Promise<readonly FastView[]> {
    const rows = await this.runner.run<ViewReply, StatementParameters['awaitingLoad']>(
      this.runner.statements.awaitingLoad,
      { limit },
    );
    return rows.map(toView);
  }

  async ruling(submitter: Submitter): Promise<FastView | null> {
    return (await this.rulingAmong([submitter])).get(submitter) ?? null;
  }

  async rulingAmong(submitters: readonly Submitter[]): Promise<ReadonlyMap<Submitter, FastView>> {
    const rows = await this.runner.run<ViewReply, StatementParameters['rulingFastEpochs']>(
      this.runner.statements.rulingFastEpochs,
      { submitters },
    );
    return new Map(rows.map(toView).map((view) => [view.submitter, view]));
  }

  async listRuling(after: Submitter | null, limit: number): Promise<readonly FastView[]> {
    const rows = await this.runner.run<ViewReply, StatementParameters['listRulingEpochs']>(
      this.runner.statements.listRulingEpochs,
      { after, limit },
    );
    return rows.map(toView);
  }

  private common(intents: IntentPolicy) {
    const { ms: quarantineMs, release } = this.quarantine;
    return { intents, freeLimit: FREE_LIMIT, quarantineMs, release };
  }

  private async complete(decoded: readonly DecodedRecord[]): Promise<FastRecordAnswer[]> {
    const ids = decoded.flatMap((each) => (each.kind === 'read' ? each.ids : []));
    const found = await readAllocations(this.runner, ids);
    return decoded.map((each) => (each.kind === 'read' ? replayOf(each.ids, found) : each));
  }
}

function toView({ submitter, epoch, incarnation }: ViewReply): FastView {
  return { submitter: submitter as Submitter, epoch: Number(epoch) as Epoch, incarnation };
}

function toAnswer(submitter: Submitter, reply: EpochReply | undefined): FastEpochAnswer {
  if (reply === undefined) throw new Error('a fast epoch was asked for and not answered');
  if (reply.kind !== 'epoch') return { kind: reply.kind };
  const windowEnd = reply.window_end === null ? null : Number(reply.window_end);
  return {
    kind: 'epoch',
    epoch: {
      view: { submitter, epoch: Number(reply.epoch) as Epoch, incarnation: reply.incarnation },
      won: reply.won,
      base: Number(reply.base),
      ceiling: Number(reply.ceiling),
      limits: {
        floor: Number(reply.floor_count),
        windowEnd: windowEnd === null ? null : Math.min(windowEnd, NO_WINDOW_END),
        maxReserved: reply.max_reserved,
        reservedElsewhere: reply.reserved,
        paused: reply.paused,
      },
      free: reply.free.map((nonce, i) => ({
        nonce: Number(nonce) as Nonce,
        tainted: reply.tainted[i] === true,
      })),
      moreFree: reply.more,
      loan: Number(reply.loan),
      loanSeen: Number(reply.loan_seen),
    },
  };
}
