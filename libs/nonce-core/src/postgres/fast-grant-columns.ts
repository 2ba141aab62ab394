import type { HolderRow } from '../ports/allocation-store.port';
import type { StatementParameters } from './generated/sql';

type GrantColumns = Pick<
  StatementParameters['commandBatch'],
  | 'epochs'
  | 'generations'
  | 'sources'
  | 'exposures'
  | 'operations'
  | 'metadata'
  | 'grantedMs'
  | 'deadlinesMs'
>;

const NO_GRANTS: GrantColumns = {
  epochs: null,
  generations: null,
  sources: null,
  exposures: null,
  operations: null,
  metadata: null,
  grantedMs: null,
  deadlinesMs: null,
};

/** Facts of fast grants beside their commands; all null when no command carries any. */
export function grantColumns(rows: readonly HolderRow[]): GrantColumns {
  if (rows.every((row) => row.grant === undefined)) return NO_GRANTS;
  const grants = rows.map((row) => row.grant ?? null);
  return {
    epochs: grants.map((grant) => grant?.epoch ?? null),
    generations: grants.map((grant) => grant?.generation ?? null),
    sources: grants.map((grant) => grant?.source ?? null),
    exposures: grants.map((grant) => grant?.exposure ?? null),
    operations: grants.map((grant) => grant?.operationId ?? null),
    metadata: grants.map((grant) => jsonOf(grant?.metadata)),
    grantedMs: grants.map((grant) => (grant === null ? null : Math.round(grant.grantedAtMs))),
    deadlinesMs: grants.map((grant) => (grant === null ? null : Math.round(grant.deadlineMs))),
  };
}

export function jsonOf(metadata: Readonly<Record<string, unknown>> | null | undefined) {
  return metadata === null || metadata === undefined ? null : JSON.stringify(metadata);
}
