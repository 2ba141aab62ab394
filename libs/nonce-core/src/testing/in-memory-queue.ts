import {
  stricterExposure,
  type Allocation,
  type AllocationSource,
  type Exposure,
} from '../domain/allocation';
import { STATUS_OF, type AllocationStage } from '../domain/allocation-state';
import type { Hex } from '../domain/brand';
import { freshRoom } from '../domain/in-flight-window';
import { MAX_NONCE } from '../domain/nonce';
import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { Submitter } from '../domain/submitter';
import type {
  AllocateAnswer,
  AllocateRow,
  SubmitterBaseline,
} from '../ports/allocation-store.port';
import { moveRow, newRow, snapshot, type InMemoryRow } from './in-memory-row';

interface Binding {
  readonly ids: readonly string[];
  readonly requestHash: string | null;
}

interface EndedGrant {
  readonly nonce: number;
  readonly endedStage: AllocationStage;
  readonly hashes: readonly Hex[];
}

/** What an operation's earlier grants mean for the next one. */
type OperationVerdict = 'new' | 'replay' | 'reused' | 'unknown';

/** The queue of one submitter: its rows, its bindings, and the rules of granting. */
export class InMemoryQueue {
  readonly rows = new Map<number, InMemoryRow>();
  readonly rowsById = new Map<string, InMemoryRow>();
  /** Owner tokens whose nonce was granted again. */
  readonly ended = new Map<string, EndedGrant>();
  private readonly bindings = new Map<string, Binding>();
  next: number;
  chainLatest: number | null;
  maxInFlight: number | null = null;
  pausedReason: string | null = null;

  constructor(
    readonly submitter: Submitter,
    baseline: Omit<SubmitterBaseline, 'engine'>,
    nowMs: number,
  ) {
    this.chainLatest = baseline.chainLatestCount;
    this.next = Math.max(baseline.startNonce, baseline.pendingCount);
    for (let nonce = baseline.startNonce as number; nonce < this.next; nonce += 1) {
      const id = `pooled-${this.submitter}-${nonce}`;
      const row = newRow(
        { submitter, nonce, id, stage: 'QUARANTINED', exposure: 'assumed' },
        nowMs,
      );
      // Whoever sent it, it must not be issued clean.
      row.note = 'in a pool before first use';
      row.releaseAtMs = releaseTime(baseline.quarantine, nowMs);
      this.insert(row);
    }
  }

  /** Decides one request; changes nothing unless it grants. */
  allocate(row: AllocateRow, window: number, nowMs: number): AllocateAnswer {
    const verdict = row.operationId === null ? 'new' : this.resolve(row, row.operationId);
    if (verdict === 'replay') return this.replay(row.operationId as string, row.exposure);
    if (verdict === 'reused') return refused('NONCE_IDEMPOTENCY_REUSED');
    if (verdict === 'unknown') return refused('NONCE_OUTCOME_UNKNOWN');
    if (this.pausedReason !== null) return refused('NONCE_PAUSED');
    const wanted = row.ids.length;
    const reissued = this.issuableAgain(nowMs).slice(0, wanted);
    const freshWanted = wanted - reissued.length;
    if (freshWanted > this.room(window)) {
      return refused('NONCE_IN_FLIGHT_LIMIT', { available: reissued.length + this.room(window) });
    }
    const first = Math.max(this.next, this.chainLatest ?? 0);
    if (freshWanted > 0 && first + freshWanted - 1 > MAX_NONCE)
      return refused('NONCE_OUT_OF_RANGE');
    return this.grant(row, reissued, nowMs);
  }

  /** Reservations past their deadline: proven unsent ones become REUSABLE, the others QUARANTINED. */
  reclaim(nowMs: number, quarantine: QuarantinePolicy): void {
    for (const row of this.rows.values()) {
      if (row.stage !== 'GRANTED' || row.deadlineMs === null || row.deadlineMs > nowMs) continue;
      const unsent = row.exposure === 'declared' && row.source !== 'replacement';
      moveRow(row, unsent ? 'REUSABLE' : 'QUARANTINED', nowMs);
      if (!unsent) row.releaseAtMs = releaseTime(quarantine, nowMs);
      row.note = 'deadline passed';
    }
  }

  /** A late owner may adopt its nonce only while its operation is bound to nothing else. */
  isBoundElsewhere(row: InMemoryRow): boolean {
    if (row.operationId === null) return false;
    return this.bindings.get(row.operationId)?.ids.includes(row.id) !== true;
  }

  windowOf(defaultWindow: number): number {
    return this.maxInFlight ?? defaultWindow;
  }

  private room(defaultWindow: number): number {
    const maxInFlight = this.windowOf(defaultWindow);
    if (this.chainLatest !== null) {
      const nextLocalNonce = Math.max(this.next, this.chainLatest);
      return freshRoom({ nextLocalNonce, chainLatestCount: this.chainLatest, maxInFlight });
    }
    if (maxInFlight === 0) return Number.POSITIVE_INFINITY;
    let reserved = 0;
    for (const row of this.rows.values()) if (STATUS_OF[row.stage] === 'RESERVED') reserved += 1;
    return Math.max(0, maxInFlight - reserved);
  }

  private issuableAgain(nowMs: number): InMemoryRow[] {
    const floor = this.chainLatest ?? 0;
    const isReleased = (row: InMemoryRow): boolean =>
      row.stage === 'QUARANTINED' && row.releaseAtMs !== null && row.releaseAtMs <= nowMs;
    return [...this.rows.values()]
      .filter((row) => row.nonce >= floor && (row.stage === 'REUSABLE' || isReleased(row)))
      .sort((a, b) => a.nonce - b.nonce);
  }

  private grant(row: AllocateRow, reissued: InMemoryRow[], nowMs: number): AllocateAnswer {
    const granted = row.ids.map((id, rank) => {
      const again = reissued[rank];
      if (again !== undefined) return this.grantAgain(again, { ...row, id }, nowMs);
      this.next = Math.max(this.next, this.chainLatest ?? 0);
      const fresh = this.freshGrant(row, id, nowMs);
      this.next += 1;
      this.insert(fresh);
      return fresh;
    });
    if (row.operationId !== null) {
      this.bindings.set(row.operationId, { ids: row.ids, requestHash: row.requestHash });
    }
    return answerOf(granted.map(snapshot), false);
  }

  private freshGrant(row: AllocateRow, id: string, nowMs: number): InMemoryRow {
    const { submitter, exposure, operationId, ttlMs } = row;
    const fresh = newRow({ submitter, nonce: this.next, id, stage: 'GRANTED', exposure }, nowMs);
    return Object.assign(fresh, { operationId, deadlineMs: nowMs + ttlMs });
  }

  private grantAgain(
    again: InMemoryRow,
    { id, exposure, operationId, ttlMs }: AllocateRow & { readonly id: string },
    nowMs: number,
  ): InMemoryRow {
    const source: AllocationSource = again.stage === 'QUARANTINED' ? 'replacement' : 'recycled';
    this.ended.set(again.id, {
      nonce: again.nonce,
      endedStage: again.stage,
      hashes: again.hashes,
    });
    this.rowsById.delete(again.id);
    moveRow(again, 'GRANTED', nowMs);
    const granted = { id, source, exposure, operationId, note: null, createdAtMs: nowMs };
    const anew = { txHash: null, inheritedHashes: again.hashes.length, shared: false };
    Object.assign(again, granted, anew, { deadlineMs: nowMs + ttlMs });
    this.rowsById.set(id, again);
    return again;
  }

  private resolve(row: AllocateRow, operationId: string): OperationVerdict {
    const binding = this.bindings.get(operationId);
    if (binding === undefined) return 'new';
    const { ids, requestHash } = binding;
    const otherHash =
      requestHash !== null && row.requestHash !== null && requestHash !== row.requestHash;
    if (otherHash || ids.length !== row.ids.length) return 'reused';
    if (ids.some((id) => this.isStillBound(id))) return 'replay';
    return ids.some((id) => this.mayHaveBeenSent(id)) ? 'unknown' : 'new';
  }

  private isStillBound(id: string): boolean {
    const stage = this.rowsById.get(id)?.stage;
    return stage !== undefined && !['REUSABLE', 'CONSUMED_EXTERNAL', 'BURNT'].includes(stage);
  }

  /** Its nonce went on as a replacement and no receipt of another hash has ended it yet. */
  private mayHaveBeenSent(id: string): boolean {
    const grant = this.ended.get(id);
    if (grant?.endedStage !== 'QUARANTINED') return false;
    const row = this.rows.get(grant.nonce);
    const endedByAnother =
      row?.proof === 'receipt' && row.txHash !== null && !grant.hashes.includes(row.txHash);
    return !endedByAnother;
  }

  private replay(operationId: string, exposure: Exposure): AllocateAnswer {
    const ids = this.bindings.get(operationId)?.ids ?? [];
    const rows = ids.flatMap((id) => this.rowsById.get(id) ?? []);
    for (const row of rows) share(row, exposure);
    return answerOf(rows.map(snapshot), true);
  }

  private insert(row: InMemoryRow): void {
    this.rows.set(row.nonce, row);
    this.rowsById.set(row.id, row);
  }
}

/** From now on neither run can say for both that nothing was sent, unless both declare it. */
function share(row: InMemoryRow, exposure: Exposure): void {
  if (row.stage !== 'GRANTED' && row.stage !== 'QUARANTINED') return;
  row.exposure = stricterExposure(row.exposure, exposure);
  if (row.exposure !== 'declared') row.shared = true;
}

export function releaseTime(quarantine: QuarantinePolicy, nowMs: number): number | null {
  return quarantine.release === 'replacement' ? nowMs + quarantine.ms : null;
}

function answerOf(allocations: Allocation[], replayed: boolean): AllocateAnswer {
  allocations.sort((a, b) => a.nonce - b.nonce);
  const first = allocations[0]?.nonce ?? 0;
  const contiguous = allocations.every((allocation, i) => allocation.nonce === first + i);
  return { kind: 'granted', allocations, contiguous, replayed };
}

function refused(
  code: Extract<AllocateAnswer, { kind: 'refused' }>['code'],
  context: Readonly<Record<string, unknown>> = {},
): AllocateAnswer {
  return { kind: 'refused', code, context };
}
