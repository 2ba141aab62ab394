import { SCHEMA } from '../bench-stores';

/** The engine's statements, written by hand: what is measured against them is everything around. */
export const RAW_ALLOCATE = {
  name: 'raw_allocate',
  text: `SELECT kind, index, nonce FROM ${SCHEMA}.allocate_batch(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
};

export const RAW_COMMAND = {
  name: 'raw_command',
  text: `SELECT ord, verdict FROM ${SCHEMA}.command_batch(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
};

/** Longer than any run: what expires meanwhile would be reclaimed instead of granted fresh. */
export const TTL_MS = 3_600_000;
const QUARANTINE_MS = 30_000;
const RELEASE = 'replacement';

export interface Wish {
  readonly submitter: string;
  readonly id: string;
}

/** Wishes sorted by submitter, as the statement wants them, with its parameters. */
export function allocateParameters(wishes: readonly Wish[], skipLocked: boolean): unknown[] {
  const submitters: string[] = [];
  const needs: number[] = [];
  const submitterOf: number[] = [];
  const ranks: number[] = [];
  for (const wish of wishes) {
    if (submitters.at(-1) !== wish.submitter) {
      submitters.push(wish.submitter);
      needs.push(0);
    }
    const rank = needs.at(-1) ?? 0;
    ranks.push(rank);
    needs[needs.length - 1] = rank + 1;
    submitterOf.push(submitters.length);
  }
  const ones = wishes.map(() => 1);
  const ttls = wishes.map(() => TTL_MS);
  return [
    submitters,
    submitters.map(() => 0),
    needs,
    submitters.map(() => TTL_MS),
    submitterOf,
    ones,
    ttls,
    wishes.map(() => 'declared'),
    null,
    null,
    null,
    wishes.map((wish) => wish.id),
    wishes.map((_, index) => index + 1),
    ranks,
    QUARANTINE_MS,
    RELEASE,
    skipLocked,
    false,
  ];
}

export interface RawCommand {
  readonly command: 'intent' | 'used';
  readonly id: string;
  readonly hash: string;
  /** Of a grant whose row the intent makes. */
  readonly grant?: RawFastGrant;
}

export interface RawFastGrant {
  readonly submitter: string;
  readonly nonce: number;
  readonly epoch: number;
  readonly generation: number;
  readonly grantedMs: number;
}

export function commandParameters(commands: readonly RawCommand[]): unknown[] {
  const none = commands.map(() => null);
  return [
    commands.map((command) => command.command),
    commands.map((command) => command.id),
    commands.map((command) => command.grant?.submitter ?? null),
    commands.map((command) => command.grant?.nonce ?? null),
    commands.map((command) => command.hash),
    none,
    none,
    commands.map(() => 0),
    commands.map(() => false),
    QUARANTINE_MS,
    RELEASE,
    ...grantColumns(commands),
  ];
}

/** Null altogether when no command carries a grant, as the engine sends them. */
function grantColumns(commands: readonly RawCommand[]): unknown[] {
  const of = <T>(pick: (grant: RawFastGrant) => T): (T | null)[] | null =>
    commands.some((command) => command.grant !== undefined)
      ? commands.map(({ grant }) => (grant === undefined ? null : pick(grant)))
      : null;
  return [
    of((grant) => grant.epoch),
    of((grant) => grant.generation),
    of(() => 'fresh'),
    of(() => 'declared'),
    of(() => null),
    of(() => null),
    of((grant) => grant.grantedMs),
    of((grant) => grant.grantedMs + TTL_MS),
  ];
}
