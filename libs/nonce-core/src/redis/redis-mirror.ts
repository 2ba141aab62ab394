import { NonceError } from '../domain/errors/nonce-error';
import type { Submitter } from '../domain/submitter';
import type {
  MirrorField,
  MirrorCopy,
  MirrorCorrection,
  MirroredNonce,
  MirrorNews,
  MirrorRepair,
  MirrorStanding,
  MirrorStore,
} from '../ports/mirror.port';
import type { FastKeys } from './fast-keys';
import { fastStoreError } from './fast-store-error';
import { LUA } from './generated/lua';
import { FLOOR_FIELD, NEXT_FIELD, nextText, nonceText, readNext, readNonce } from './mirror-text';
import type { RedisClient } from './redis-client';
import { runScript, sendAll, type RedisReply } from './redis-commands';
import { runFastScript, type ScriptCall } from './run-fast-script';

export interface RedisMirrorOptions {
  /**
   * A copy that nobody has touched for so long is gone: those of a mode that was left, and of
   * submitters without open nonces. The comparison touches the others.
   */
  readonly ttlMs: number;
}

const REDIS_MIRROR_DEFAULTS: RedisMirrorOptions = { ttlMs: 900_000 };

/** Arguments of one script run: far below what would hold up the server's other callers. */
const FIELDS_PER_RUN = 1_000;

/** The mirror in Redis: one hash per submitter, with the hash tag of its shard. */
export class RedisMirror implements MirrorStore {
  private readonly options: RedisMirrorOptions;

  constructor(
    private readonly client: RedisClient,
    private readonly keys: FastKeys,
    options: Partial<RedisMirrorOptions> = {},
  ) {
    this.options = Object.freeze({ ...REDIS_MIRROR_DEFAULTS, ...options });
  }

  shardOf(submitter: Submitter): number {
    return this.keys.shardOf(submitter);
  }

  async write(news: readonly MirrorNews[]): Promise<void> {
    const pieces = news.map(({ submitter, next, nonces }) => ({
      submitter,
      head: [next === null ? '' : nextText(next), nonces.length],
      fields: nonces.flatMap((fact) => [fact.nonce, nonceText(fact)]),
    }));
    const replies = await runFastScript(this.client, LUA.mirror, this.callsOf(pieces));
    replies.forEach(valueOf);
  }

  async read(submitters: readonly Submitter[]): Promise<readonly MirrorCopy[]> {
    const replies = await sendAll(
      this.client,
      submitters.map((submitter) => ['HGETALL', this.keys.mirror(submitter)] as const),
    );
    return submitters.map((submitter, i) => copyOf(submitter, replies[i]));
  }

  async repair(repairs: readonly MirrorRepair[]): Promise<void> {
    const pieces = repairs.map(({ submitter, corrections, settled }) => ({
      submitter,
      head: [
        settled === null ? '' : `${String(settled.below)}:${String(settled.asOfUs)}`,
        corrections.length,
      ],
      fields: corrections.flatMap(correctionArguments),
    }));
    const replies = await runFastScript(this.client, LUA.mirrorRepair, this.callsOf(pieces));
    replies.forEach(valueOf);
  }

  async lead(owner: string, ttlMs: number): Promise<boolean> {
    const key = this.keys.mirrorWatch('lead');
    const [taken] = await sendAll(this.client, [['SET', key, owner, 'PX', ttlMs, 'NX']]);
    if (valueOf(taken) === 'OK') return true;
    const [extended] = await runScript(this.client, LUA.extendLock, [
      { key, args: [owner, ttlMs] },
    ]);
    return valueOf(extended) === 1;
  }

  async resign(owner: string): Promise<void> {
    const key = this.keys.mirrorWatch('lead');
    const [reply] = await runScript(this.client, LUA.releaseLock, [{ key, args: [owner] }]);
    valueOf(reply);
  }

  async keepStanding(standing: MirrorStanding, ttlMs: number): Promise<void> {
    const key = this.keys.mirrorWatch('standing');
    const text = JSON.stringify(standing);
    const [reply] = await sendAll(this.client, [['SET', key, text, 'PX', ttlMs]]);
    valueOf(reply);
  }

  async standing(): Promise<MirrorStanding | null> {
    const key = this.keys.mirrorWatch('standing');
    const [reply] = await sendAll(this.client, [['GET', key]]);
    const text = valueOf(reply);
    if (typeof text !== 'string') return null;
    try {
      const standing = JSON.parse(text) as Partial<MirrorStanding> | null;
      return isStanding(standing) ? standing : null;
    } catch {
      return null;
    }
  }

  /** One call per shard, or several where there is much to say. */
  private callsOf(pieces: readonly Piece[]): readonly ScriptCall[] {
    const open = new Map<number, { keys: string[]; args: (string | number)[] }>();
    const calls: ScriptCall[] = [];
    for (const { submitter, head, fields } of pieces) {
      const shard = this.keys.shardOf(submitter);
      let call = open.get(shard);
      if (call === undefined || call.args.length > FIELDS_PER_RUN) {
        call = { keys: [], args: [this.options.ttlMs] };
        open.set(shard, call);
        calls.push(call);
      }
      call.keys.push(this.keys.mirror(submitter));
      call.args.push(...head, ...fields);
    }
    return calls;
  }
}

interface Piece {
  readonly submitter: Submitter;
  readonly head: readonly (string | number)[];
  readonly fields: readonly (string | number)[];
}

function correctionArguments({ field, found, put }: MirrorCorrection): readonly string[] {
  const text = put === null ? '' : 'next' in put ? nextText(put) : nonceText(put);
  return [field ?? NEXT_FIELD, found ?? '', text];
}

function copyOf(submitter: Submitter, reply: RedisReply | undefined): MirrorCopy {
  const nonces = new Map<string, MirrorField<MirroredNonce>>();
  // A key of another type holds nothing of ours; the next word removes it.
  if (reply?.ok === false && reply.error.message.startsWith('WRONGTYPE')) {
    return { submitter, next: null, nonces };
  }
  let next: MirrorCopy['next'] = null;
  for (const [field, text] of pairsOf(valueOf(reply))) {
    if (field === NEXT_FIELD) next = readNext(text);
    else if (field !== FLOOR_FIELD) nonces.set(field, readNonce(field, text));
  }
  return { submitter, next, nonces };
}

/** HGETALL by `call`: a flat list, or a map where the client speaks RESP3. */
function pairsOf(value: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return Object.entries(value as Readonly<Record<string, string>>);
  const flat = value as readonly string[];
  return flat.flatMap((field, i) =>
    i % 2 === 0 ? [[field, flat[i + 1] ?? ''] as readonly [string, string]] : [],
  );
}

function isStanding(value: Partial<MirrorStanding> | null): value is MirrorStanding {
  return (
    typeof value === 'object' &&
    typeof value?.inStep === 'boolean' &&
    typeof value.asOfMs === 'number' &&
    typeof value.modeEpoch === 'number' &&
    Array.isArray(value.divergences)
  );
}

function valueOf(reply: RedisReply | undefined): unknown {
  if (reply === undefined) throw new NonceError('NONCE_INTERNAL');
  if (!reply.ok) throw fastStoreError(reply.error);
  return reply.value;
}
