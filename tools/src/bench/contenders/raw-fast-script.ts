import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { WORKSPACE_ROOT } from '../../workspace/workspace-root';
import { TTL_MS, type RawFastGrant } from './raw-statements';

interface Script {
  readonly text: string;
  readonly sha1: string;
}

/** The script as the library sends it; no door offers it, because nobody else may run it. */
const { LUA } = createRequire(__filename)(
  join(WORKSPACE_ROOT, 'libs/nonce-core/dist/redis/generated/lua.js'),
) as { readonly LUA: { readonly fastAllocate: Script } };

/** Larger than what any run issues: a raw caller has nobody who would raise it. */
const CEILING = 1_000_000_000;
const NO_STREAM_LIMIT = '0';
const DECLARED = 'd';
const KEYS_OF_SUBMITTER = ['state', 'free', 'held', 'snap', 'ops', 'ids0', 'ids1'] as const;
const KEY_COUNT = 2 + KEYS_OF_SUBMITTER.length;

type Reply = readonly [kind: string, number, number, number, number, string, number, string];

/** The allocation script alone: one EVALSHA for each caller, over a connection set up as ours. */
export class RawFastScript {
  private keys: readonly string[] = [];
  private view: readonly string[] = [];

  constructor(
    private readonly redis: Redis,
    private readonly submitter: string,
  ) {}

  /** A connection with the settings of the library's own. */
  static connect(url: string): Redis {
    return new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableAutoPipelining: false,
      lazyConnect: true,
    });
  }

  /** The submitter must have been granted a nonce by the library, which opened its epoch. */
  async prepare(): Promise<void> {
    const [state] = await this.redis.keys(`*:${this.submitter}:state`);
    if (state === undefined) throw new Error('the submitter has no epoch to issue from');
    const own = state.slice(0, -'state'.length);
    const shard = own.slice(0, -`${this.submitter}:`.length);
    this.keys = [
      `${shard}mode`,
      `${shard}events`,
      ...KEYS_OF_SUBMITTER.map((name) => `${own}${name}`),
    ];
    const [epoch, incarnation] = await this.redis.hmget(state, 'epoch', 'inc');
    this.view = [this.submitter, epoch ?? '', incarnation ?? ''];
    await this.redis.hset(state, 'ceiling', CEILING);
    await this.redis.script('LOAD', LUA.fastAllocate.text);
  }

  async allocate(): Promise<{ readonly id: string; readonly grant: RawFastGrant }> {
    const id = randomUUID();
    const [first] = (await this.redis.evalsha(
      LUA.fastAllocate.sha1,
      KEY_COUNT,
      ...this.keys,
      NO_STREAM_LIMIT,
      '1',
      ...this.view,
      '1',
      ...['', '', TTL_MS, DECLARED, '', '1', id],
    )) as readonly [Reply];
    if (first[0] !== 'g') throw new Error(`the script answered ${JSON.stringify(first)}`);
    const [, , , grantedMs, , nonce, generation] = first;
    const epoch = Number(this.view[1]);
    return {
      id,
      grant: { submitter: this.submitter, nonce: Number(nonce), epoch, generation, grantedMs },
    };
  }
}
