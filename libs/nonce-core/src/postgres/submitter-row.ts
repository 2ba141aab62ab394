import type { LastingMode } from '../domain/engine-mode';
import type { EngineName, Epoch } from '../domain/epoch';
import { toGaps, type BlockingNonce } from '../domain/gap';
import type { Nonce } from '../domain/nonce';
import type { Submitter } from '../domain/submitter';
import type { SubmitterView } from '../domain/submitter-view';

/** A submitter as list-submitters returns it. */
export interface SubmitterRow {
  readonly submitter: string;
  readonly label: string | null;
  readonly next_local_nonce: string;
  readonly ceiling: string;
  readonly epoch: string;
  readonly engine: EngineName;
  readonly last_chain_nonce: string | null;
  readonly chain_latest_count: string | null;
  readonly max_in_flight: number;
  readonly paused: boolean;
  readonly paused_reason: string | null;
  readonly pinned_mode: LastingMode | null;
  readonly as_of_ms: number;
  readonly reserved: string;
  readonly recyclable: string;
  readonly used: string;
  readonly oldest_reserved_ms: number | null;
  /** `nonce:stage:stuck` of every blocking nonce, joined by commas. */
  readonly blocking: string | null;
}

export function toSubmitterView(row: SubmitterRow): SubmitterView {
  return {
    submitter: row.submitter as Submitter,
    label: row.label,
    nextLocalNonce: Number(row.next_local_nonce) as Nonce,
    ceiling: Number(row.ceiling) as Nonce,
    epoch: Number(row.epoch) as Epoch,
    engine: row.engine,
    lastChainNonce: row.last_chain_nonce === null ? null : (Number(row.last_chain_nonce) as Nonce),
    chainLatest: row.chain_latest_count === null ? null : Number(row.chain_latest_count),
    counts: {
      RESERVED: Number(row.reserved),
      USED: Number(row.used),
      RECYCLABLE: Number(row.recyclable),
    },
    gaps: toGaps(parseBlocking(row.blocking)),
    oldestReservedAgeMs:
      row.oldest_reserved_ms === null ? null : Math.max(0, Math.round(row.oldest_reserved_ms)),
    maxInFlight: row.max_in_flight,
    paused: row.paused,
    pausedReason: row.paused_reason,
    pinnedMode: row.pinned_mode,
    asOf: new Date(row.as_of_ms),
  };
}

function parseBlocking(text: string | null): BlockingNonce[] {
  if (text === null) return [];
  return text.split(',').map((entry) => {
    const [nonce, stage, stuck] = entry.split(':');
    return {
      nonce: Number(nonce) as Nonce,
      stage: stage as BlockingNonce['stage'],
      stuck: stuck === 'true',
    };
  });
}
