// Generated from postgres/sql/*.sql by `npm run generate`. Edit the .sql files, not this one.
import { createHash } from 'node:crypto';
import { NonceError } from '../../domain/errors/nonce-error';

/** One statement for one schema. */
export interface Statement<Parameters> {
  readonly text: string;
  /** Name for a prepared statement, unique per text; null when the statement is not hot. */
  readonly preparedName: string | null;
  /** The values in the order of `$1…`. */
  bind(parameters: Parameters): unknown[];
}

export interface StatementParameters {
  /**
   * Answers a batch of allocation requests; the function in the migrations states guarantee and replies.
   */
  readonly allocateBatch: {
    /** distinct, in byte order */
    readonly submitters: readonly (string | null)[];
    /** default window of each submitter, 0 = no limit */
    readonly windows: readonly (number | null)[];
    /** nonces wanted per submitter */
    readonly needs: readonly (number | null)[];
    /** shortest reservation wanted per submitter */
    readonly minTtlMs: readonly (number | null)[];
    /** 1-based position in $1; requests come sorted by it */
    readonly requestSubmitter: readonly (number | null)[];
    readonly requestCount: readonly (number | null)[];
    readonly requestTtlMs: readonly (number | null)[];
    readonly requestExposure: readonly (string | null)[];
    /** null when no request names an operation */
    readonly requestOperation: readonly (string | null)[] | null;
    readonly requestHash: readonly (string | null)[] | null;
    /** JSON text */
    readonly requestMetadata: readonly (string | null)[] | null;
    /** one owner token per wanted nonce, in request order */
    readonly slotIds: readonly (string | null)[];
    /** 1-based request of each slot */
    readonly slotRequest: readonly (number | null)[];
    /** 0-based position of each slot within its submitter */
    readonly slotRank: readonly (number | null)[];
    readonly quarantineMs: number;
    readonly release: string;
    readonly skipLocked: boolean;
    readonly retry: boolean;
  };
  /**
   * Applies a batch of holders' commands; the function in the migrations states guarantee and replies.
   */
  readonly commandBatch: {
    readonly commands: readonly (string | null)[];
    readonly ids: readonly (string | null)[];
    readonly submitters: readonly (string | null)[];
    readonly nonces: readonly (number | null)[];
    readonly hashes: readonly (string | null)[];
    readonly raw: readonly (Buffer | null)[];
    readonly notes: readonly (string | null)[];
    readonly ttlsMs: readonly (number | null)[];
    readonly followable: readonly (boolean | null)[];
    readonly quarantineMs: number;
    readonly release: string;
  };
  /**
   * Reads one allocation by its owner token; no row when the token is unknown or was superseded.
   */
  readonly findAllocation: {
    readonly id: string;
  };
  /**
   * Reads allocations by their owner tokens, in nonce order.
   */
  readonly findAllocations: {
    readonly ids: readonly (string | null)[];
  };
  /**
   * Creates a submitter's state row, and quarantines what a pool already holds; nothing if it exists.
   */
  readonly openSubmitter: {
    readonly submitter: string;
    readonly engine: string;
    readonly startNonce: number;
    readonly pendingCount: number;
    readonly latestCount: number | null;
    readonly finalizedCount: number | null;
    readonly genesisHash: string | null;
    readonly quarantineMs: number;
    readonly release: string;
  };
}

interface StatementSource {
  readonly file: string;
  readonly hot: boolean;
  readonly parameters: readonly string[];
  readonly text: string;
}

const SQL: Readonly<Record<StatementName, StatementSource>> = {
  allocateBatch: {
    file: 'allocate-batch',
    hot: true,
    parameters: ['submitters', 'windows', 'needs', 'minTtlMs', 'requestSubmitter', 'requestCount', 'requestTtlMs', 'requestExposure', 'requestOperation', 'requestHash', 'requestMetadata', 'slotIds', 'slotRequest', 'slotRank', 'quarantineMs', 'release', 'skipLocked', 'retry'],
    text: `SELECT kind, index, nonce, extra, at_ms, detail
FROM :schema.allocate_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
  },
  commandBatch: {
    file: 'command-batch',
    hot: true,
    parameters: ['commands', 'ids', 'submitters', 'nonces', 'hashes', 'raw', 'notes', 'ttlsMs', 'followable', 'quarantineMs', 'release'],
    text: `SELECT * FROM :schema.command_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ORDER BY ord`,
  },
  findAllocation: {
    file: 'find-allocation',
    hot: true,
    parameters: ['id'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.id = $1
ORDER BY a.nonce`,
  },
  findAllocations: {
    file: 'find-allocations',
    hot: true,
    parameters: ['ids'],
    text: `SELECT a.id, a.submitter, a.nonce, a.stage, a.source, a.exposure, a.engine, a.epoch, a.operation_id,
  a.tx_hash, array_to_string(a.hashes, ',') AS hashes, a.proof, a.note,
  extract(epoch FROM a.deadline)::double precision * 1000 AS deadline_ms,
  extract(epoch FROM a.created_at)::double precision * 1000 AS created_ms,
  extract(epoch FROM a.updated_at)::double precision * 1000 AS updated_ms
FROM :schema.submitter_nonce_allocation a
WHERE a.id = ANY ($1)
ORDER BY a.nonce`,
  },
  openSubmitter: {
    file: 'open-submitter',
    hot: false,
    parameters: ['submitter', 'engine', 'startNonce', 'pendingCount', 'latestCount', 'finalizedCount', 'genesisHash', 'quarantineMs', 'release'],
    text: `SELECT :schema.open_submitter($1, $2::text:::schema.engine_name, $3, $4, $5, $6, $7, $8, $9) AS opened`,
  },
};

export type StatementName = keyof StatementParameters;
export type Statements = {
  readonly [Name in StatementName]: Statement<StatementParameters[Name]>;
};

/**
 * Renders every statement for one schema; do it once and keep the result.
 * @throws NonceError `NONCE_CONFIG_INVALID` unless `schema` is a plain lower-case identifier.
 */
export function renderStatements(schema: string): Statements {
  const prefix = `${quoteSchema(schema)}.`;
  const sources = Object.entries<StatementSource>(SQL);
  const rendered = sources.map(([name, source]) => [name, render(source, prefix)]);
  return Object.freeze(Object.fromEntries(rendered)) as Statements;
}

/** `schema` as a quoted identifier. */
export function quoteSchema(schema: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    const detail = 'must be 1 to 63 of a-z, 0-9 and _, not starting with a digit';
    throw new NonceError('NONCE_CONFIG_INVALID', { errors: [{ pointer: '/schema', detail }] });
  }
  return `"${schema}"`;
}

function render(source: StatementSource, prefix: string): Statement<never> {
  const text = source.text.replaceAll(':schema.', prefix);
  const bind = (parameters: Readonly<Record<string, unknown>>): unknown[] =>
    source.parameters.map((name) => parameters[name]);
  return Object.freeze({ text, preparedName: source.hot ? nameFor(source, text) : null, bind });
}

// The digest covers the schema too: one pool may serve two schemas, and a name means one text.
function nameFor(source: StatementSource, text: string): string {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${source.file.slice(0, 46)}_${digest}`;
}
