import { createHash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { RedisServer } from '../../../../tools/src/stack/index';
import type { Epoch } from '../../src/domain/epoch';
import type { Nonce } from '../../src/domain/nonce';
import type { Submitter } from '../../src/domain/submitter';
import type { FastLimits, FreeNonce } from '../../src/ports/fast-range.port';
import type {
  FastAllocateAnswer,
  FastAllocateRow,
  FastGrant,
  FastOpening,
  FastRefill,
  FastSettleAnswer,
  FastSettleRow,
  FastView,
  FastWord,
  FlushEvent,
  HandedOver,
} from '../../src/ports/fast-store.port';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import type { FastScripts } from '../../src/redis/fast-scripts';
import { decodeFlushEvent } from '../../src/redis/flush-event-fields';
import type { LuaScript } from '../../src/redis/generated/lua';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisFastStore } from '../../src/redis/redis-fast-store';
import { waitFor } from '../support/wait-for';

export const SUBMITTER = `eip155:1:0x${'ab'.repeat(20)}` as Submitter;
export const LIMITS: FastLimits = {
  floor: 0,
  windowEnd: null,
  maxReserved: 0,
  reservedElsewhere: 0,
  paused: false,
};

type Granted = Extract<FastAllocateAnswer, { kind: 'granted' }>;
type Wish = Partial<Omit<FastAllocateRow, 'view'>>;
type Words = Partial<Omit<FastSettleRow, 'view' | 'id' | 'nonce' | 'word'>>;

/** One server with the fast store on it, and shorthand for what tests say to it. */
export class FastFixture {
  private constructor(
    readonly server: RedisServer,
    readonly direct: Redis,
    readonly client: RedisClient,
    readonly keys: FastKeys,
    readonly store: RedisFastStore,
  ) {}

  static async start(
    server: RedisServer,
    options: { scripts?: Partial<FastScripts>; maxWaitingEvents?: number; shards?: number } = {},
  ): Promise<FastFixture> {
    const direct = new Redis(server.url);
    direct.on('error', () => undefined);
    const client = duplicateForFastStore(direct);
    const keys = new FastKeys({ prefix: 'n', shards: options.shards ?? 64 });
    const { maxWaitingEvents = 0 } = options;
    const store = new RedisFastStore(client, keys, { maxWaitingEvents }, options.scripts);
    const fast = new FastFixture(server, direct, client, keys, store);
    await fast.untilConnected();
    return fast;
  }

  async untilConnected(): Promise<void> {
    const clients = [this.client, this.direct];
    await waitFor(() => clients.every(({ status }) => status === 'ready'), {
      describe: 'the fast store to connect',
    });
  }

  stop(): void {
    this.client.disconnect();
    this.direct.disconnect();
  }

  /** A view of the server as it is now. */
  async view(epoch = 1, submitter = SUBMITTER): Promise<FastView> {
    const incarnation = await this.store.incarnationOf(submitter);
    return { submitter, epoch: epoch as Epoch, incarnation };
  }

  async open(view: FastView, opening: Partial<Omit<FastOpening, 'view'>> = {}): Promise<string> {
    const loans = { loan: 0, free: [], moreFree: false };
    const whole = { modeEpoch: 1, base: 0, ceiling: 32, limits: LIMITS, ...loans, ...opening };
    const [answer] = await this.store.open([{ view, ...whole }]);
    return String(answer);
  }

  async refill(view: FastView, refill: Partial<Omit<FastRefill, 'view'>> = {}) {
    const loans = { loanSeen: 0, loan: 0, free: [], moreFree: false };
    const whole = { ceiling: 32, limits: LIMITS, ...loans, ...refill };
    const [answer] = await this.store.refill([{ view, ...whole }]);
    return answer;
  }

  async ask(view: FastView, wish: Wish = {}): Promise<FastAllocateAnswer | Error> {
    return (await this.store.allocate([rowOf(view, wish)]))[0]!;
  }

  /** The grant of one nonce. @throws Error when it was not granted. */
  async grant(view: FastView, wish: Wish = {}): Promise<FastGrant> {
    return (await this.grants(view, wish))[0]!;
  }

  /** An answer that grants. @throws Error when it does not. */
  async granted(view: FastView, wish: Wish = {}): Promise<Granted> {
    const answer = await this.ask(view, wish);
    if (answer instanceof Error) throw answer;
    if (answer.kind !== 'granted') throw new Error(JSON.stringify(answer));
    return answer;
  }

  async grants(view: FastView, wish: Wish = {}): Promise<readonly FastGrant[]> {
    return (await this.granted(view, wish)).grants;
  }

  async say(
    view: FastView,
    [word, grant]: readonly [FastWord, Pick<FastGrant, 'id' | 'nonce'>],
    words: Words = {},
  ): Promise<FastSettleAnswer> {
    const row = { word, view, id: grant.id, nonce: grant.nonce, ...SILENT, ...words };
    const [answer] = await this.store.settle([row]);
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
    return answer;
  }

  async look(view: FastView, grant: Pick<FastGrant, 'id' | 'nonce'>): Promise<FastSettleAnswer> {
    const [answer] = await this.store.look([{ view, id: grant.id, nonce: grant.nonce }]);
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no answer');
    return answer;
  }

  /** What waits in the stream, oldest first. */
  async events(submitter = SUBMITTER): Promise<readonly FlushEvent[]> {
    const entries = await this.direct.xrange(this.eventsKey(submitter), '-', '+');
    return entries.map(([id, fields]) => {
      const event = decodeFlushEvent(fields);
      if (event === null) throw new Error(`entry ${id} cannot be read: ${fields.join(' ')}`);
      return event;
    });
  }

  /** Stage and nonce of what waits in the stream. */
  async told(): Promise<readonly string[]> {
    const events = await this.events();
    return events.map(({ stage, grant }) => `${stage} ${String(grant.nonce)}`);
  }

  /** Marks the shard of this submitter. False when it has another mark. */
  async mark(epoch: number, drain = false, submitter = SUBMITTER): Promise<boolean> {
    const taken = await this.store.raiseMode({ epoch, drain }, [this.keys.shardOf(submitter)]);
    return taken.length === 1;
  }

  /** What is handed over of one epoch; null when nothing is. @throws Error when it failed. */
  async handOver(view: FastView): Promise<HandedOver | null> {
    const [answer] = await this.store.handOver([view]);
    if (answer instanceof Error || answer === undefined) throw answer ?? new Error('no answer');
    return answer;
  }

  eventsKey(submitter = SUBMITTER): string {
    return this.keys.events(this.keys.shardOf(submitter));
  }

  key(ending: string, submitter = SUBMITTER): string {
    const found = this.keys.ofSubmitter(submitter).find((key) => key.endsWith(`:${ending}`));
    if (found === undefined) throw new Error(`no key ends in ${ending}`);
    return found;
  }

  state(field: string): Promise<string | null> {
    return this.direct.hget(this.key('state'), field);
  }

  /** Until the server's clock has passed this moment. */
  async pass(deadlineMs: number): Promise<void> {
    await waitFor(
      async () => {
        const [seconds, micros] = await this.direct.time();
        return Number(seconds) * 1_000 + Number(micros) / 1_000 > deadlineMs;
      },
      { describe: 'the deadline to pass' },
    );
  }
}

const SILENT = { txHash: null, note: null, ttlMs: 30_000, followable: true } as const;

export function rowOf(view: FastView, wish: Wish = {}): FastAllocateRow {
  return {
    view,
    ids: [randomUUID()],
    operationId: null,
    requestHash: null,
    ttlMs: 30_000,
    exposure: 'declared',
    metadata: null,
    ...wish,
  };
}

export function tokens(count: number): readonly string[] {
  return Array.from({ length: count }, () => randomUUID());
}

export function clean(...nonces: number[]): FreeNonce[] {
  return nonces.map((nonce) => ({ nonce: nonce as Nonce, tainted: false }));
}

export function tainted(...nonces: number[]): FreeNonce[] {
  return nonces.map((nonce) => ({ nonce: nonce as Nonce, tainted: true }));
}

/**
 * A script without one of its guards: what stands between its marks, wherever they stand.
 * @throws Error when the script has no such guard.
 */
export function without(guard: string, script: LuaScript): LuaScript {
  const block = new RegExp(`-- guard ${guard}\\n[\\s\\S]*?-- end guard ${guard}\\n`, 'g');
  const text = script.text.replace(block, '');
  if (text === script.text) throw new Error(`${script.file} has no guard ${guard}`);
  return { file: script.file, text, sha1: createHash('sha1').update(text).digest('hex') };
}
