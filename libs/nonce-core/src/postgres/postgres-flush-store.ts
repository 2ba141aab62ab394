import type { QuarantinePolicy } from '../domain/quarantine-policy';
import type { FlushEvent } from '../ports/fast-store.port';
import type { FlushStore, QueuedEvent } from '../ports/flush-store.port';
import { jsonOf } from './fast-grant-columns';
import type { StatementParameters } from './generated/sql';
import { mergeEvents, sameNonce } from './merge-events';
import type { StatementRunner } from './statement-runner';

type ApplyColumns = StatementParameters['applyEvents'];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** More says no more: a stream entry is one short event. */
const MAX_TEXT_LENGTH = 20_000;

/** Turns events into rows, one function call and one transaction per batch. */
export class PostgresFlushStore implements FlushStore {
  constructor(private readonly runner: StatementRunner) {}

  async apply(events: readonly FlushEvent[], quarantine: QuarantinePolicy): Promise<void> {
    if (events.length === 0) return;
    await this.runner.run<Record<string, never>, ApplyColumns>(
      this.runner.statements.applyEvents,
      columnsOf(mergeEvents(events), quarantine),
    );
  }

  async bury(event: QueuedEvent, reason: string, quarantine: QuarantinePolicy): Promise<void> {
    const grant = event.event?.grant ?? null;
    const named = grant ?? nonceNamedBy(event.text);
    await this.runner.run<Record<string, never>, StatementParameters['buryEvent']>(
      this.runner.statements.buryEvent,
      {
        shard: event.shard,
        entryId: event.entryId,
        submitter: named?.submitter ?? null,
        nonce: named?.nonce ?? null,
        id: grant !== null && UUID.test(grant.id) ? grant.id : null,
        epoch: grant?.epoch ?? null,
        generation: grant?.generation ?? null,
        event: (event.event === null ? event.text : JSON.stringify(event.event)).slice(
          0,
          MAX_TEXT_LENGTH,
        ),
        deliveries: event.deliveries,
        reason: reason.slice(0, MAX_TEXT_LENGTH),
        quarantineMs: quarantine.ms,
        release: quarantine.release,
      },
    );
  }

  async claimShards(claim: Parameters<FlushStore['claimShards']>[0]): Promise<readonly number[]> {
    const rows = await this.runner.run<{ shard: number }, StatementParameters['claimFlushShards']>(
      this.runner.statements.claimFlushShards,
      claim,
    );
    return rows.map((row) => row.shard);
  }

  async releaseShards(worker: string): Promise<void> {
    await this.runner.run(this.runner.statements.releaseFlushShards, { worker });
  }
}

function columnsOf(events: readonly FlushEvent[], quarantine: QuarantinePolicy): ApplyColumns {
  const lasts = events.map((event, i) => !sameNonce(event, events[i + 1]));
  return {
    submitters: events.map(({ grant }) => grant.submitter),
    nonces: events.map(({ grant }) => grant.nonce),
    epochs: events.map(({ grant }) => grant.epoch),
    generations: events.map(({ grant }) => grant.generation),
    ranks: events.map((event) => event.rank),
    stages: events.map((event) => event.stage),
    ids: events.map(({ grant }) => grant.id),
    sources: events.map(({ grant }) => grant.source),
    exposures: events.map(({ grant }) => grant.exposure),
    grantedMs: events.map(({ grant }) => grant.grantedAtMs),
    deadlinesMs: events.map(({ grant }) => grant.deadlineMs),
    operations: unlessEmpty(events.map(({ grant }) => grant.operationId)),
    metadata: unlessEmpty(events.map(({ grant }) => jsonOf(grant.metadata))),
    hashes: unlessEmpty(events.map(({ hashes }) => hashesText(hashes))),
    notes: unlessEmpty(events.map((event) => event.note?.slice(0, 500) ?? null)),
    lasts: lasts.includes(false) ? lasts : null,
    quarantineMs: quarantine.ms,
    release: quarantine.release,
  };
}

function hashesText(hashes: FlushEvent['hashes']): string | null {
  return hashes.length === 0 ? null : hashes.join(',').toLowerCase();
}

function unlessEmpty(column: readonly (string | null)[]): readonly (string | null)[] | null {
  return column.some((value) => value !== null) ? column : null;
}

/** What an unreadable event still says about whose it is: its text is its fields as JSON. */
function nonceNamedBy(text: string): { readonly submitter: string; readonly nonce: number } | null {
  try {
    const { s: submitter, n } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const nonce = Number(n);
    if (typeof submitter !== 'string' || n === '' || !Number.isSafeInteger(nonce)) return null;
    return nonce < 0 ? null : { submitter, nonce };
  } catch {
    return null;
  }
}
