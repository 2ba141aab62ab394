import { randomUUID } from 'node:crypto';
import type { Clock } from '../ports/clock.port';
import type { Lock, LockCoordinator } from '../ports/lock.port';
import type { Logger } from '../ports/logger.port';
import type { Metrics } from '../ports/metrics.port';
import { AvailabilityGate } from './availability-gate';
import { LUA } from './generated/lua';
import type { RedisClient } from './redis-client';
import { runScript, sendAll, type RedisReply } from './redis-commands';

export interface RedisLockOptions {
  readonly keyPrefix: string;
  /** A lock whose node died frees itself after this time. */
  readonly ttlMs: number;
  /** Longest wait for one busy lock, shorter when one owner keeps it; then the batch runs without. */
  readonly waitMs: number;
  /** Time without attempts after Redis failed. */
  readonly restMs: number;
}

const REDIS_LOCK_DEFAULTS: RedisLockOptions = {
  keyPrefix: 'nonce',
  ttlMs: 10_000,
  waitMs: 2_000,
  restMs: 1_000,
};

export interface RedisLockPorts {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A statement holds its lock for about 3 ms: looking much later would leave the row idle. */
const POLL_MIN_MS = 1;
const POLL_MAX_MS = 8;
/** A batch holds its lock for some milliseconds; one owner for so long is dead, or as good as. */
const SAME_OWNER_MS = 150;
/** No batch lasts this many times the ttl; its lock is then left to expire. */
const MAX_EXTENSIONS = 18;
/** Locks waited for in vain that are remembered; forgetting them costs one more wait each. */
const MAX_HOPELESS = 1_000;

interface HeldLock {
  readonly owner: string;
  readonly keys: readonly string[];
  extendAtMs: number;
  extensions: number;
}

interface OtherOwner {
  readonly owner: unknown;
  readonly sinceMs: number;
}

const NOTHING_HELD: Lock = { release: () => Promise.resolve() };

/**
 * Locks per submitter in Redis: `SET NX PX` with a random owner, compare-and-delete on release,
 * extended every third of the ttl while held. They only lower contention between nodes.
 *
 * Guaranteed: never deletes or extends a lock of another owner; never rejects; a dead Redis costs
 * one command timeout per rest, and the lock of a dead node one wait per node, not one per batch.
 * Not guaranteed: exclusion. Postgres decides without this (I-23).
 *
 * One key is waited for. Of several keys those are taken that are free, without waiting: waiting
 * while holding would let two nodes wait for each other, and a group skips locked rows anyway.
 */
export class RedisLockCoordinator implements LockCoordinator {
  private readonly options: RedisLockOptions;
  private readonly gate: AvailabilityGate;
  private readonly held = new Set<HeldLock>();
  /** Keys that were waited for in vain, and until when they are tried only once. */
  private readonly hopelessUntilMs = new Map<string, number>();
  private extender: NodeJS.Timeout | undefined;

  constructor(
    private readonly client: RedisClient,
    private readonly ports: RedisLockPorts,
    options: Partial<RedisLockOptions> = {},
  ) {
    this.options = Object.freeze({ ...REDIS_LOCK_DEFAULTS, ...options });
    this.gate = new AvailabilityGate(ports.clock, ports.logger, this.options.restMs);
  }

  async acquire(names: readonly string[]): Promise<Lock> {
    const keys = names.map((name) => `${this.options.keyPrefix}:lock:{${name}}`);
    const owner = randomUUID();
    const deadlineMs = this.waitUntilMs(keys);
    let other: OtherOwner | undefined;
    for (;;) {
      if (!this.isReachable()) return this.skip('redis-away');
      const taken = await this.tryOnce(keys, owner);
      if (taken === undefined) return this.skip('redis-away');
      if (taken.length === keys.length) return this.hold(taken, owner);
      if (keys.length > 1) {
        this.skip('busy');
        return taken.length === 0 ? NOTHING_HELD : this.hold(taken, owner);
      }
      other = await this.ownerOf(keys, other);
      if (this.ports.clock.monotonicMs() >= Math.min(deadlineMs, other.sinceMs + SAME_OWNER_MS)) {
        return this.giveUp(keys);
      }
      await this.ports.clock.sleep(jittered());
    }
  }

  /** Releases what is still held and ends the extending; the client stays open. */
  async stop(): Promise<void> {
    clearInterval(this.extender);
    this.extender = undefined;
    await Promise.all([...this.held].map((lock) => this.release(lock)));
  }

  private isReachable(): boolean {
    const { status } = this.client;
    if (status === 'ready') return this.gate.mayTry();
    // A client that still connects for the first time is no loss worth a warning.
    if (!status.startsWith('connect')) this.gate.failed(new Error(`connection is ${status}`));
    return false;
  }

  private waitUntilMs(keys: readonly string[]): number {
    const nowMs = this.ports.clock.monotonicMs();
    const hopeless = keys.some((key) => (this.hopelessUntilMs.get(key) ?? 0) > nowMs);
    return hopeless ? nowMs : nowMs + this.options.waitMs;
  }

  /** Who holds the one key that is waited for, and since when as far as this node saw. */
  private async ownerOf([key = '']: readonly string[], seen?: OtherOwner): Promise<OtherOwner> {
    const [reply] = await sendAll(this.client, [['GET', key]]);
    const owner = reply?.ok === true ? reply.value : undefined;
    if (seen !== undefined && seen.owner === owner) return seen;
    return { owner, sinceMs: this.ports.clock.monotonicMs() };
  }

  /** Whoever holds it that long is most likely dead, and its lock lasts for the rest of its ttl. */
  private giveUp(keys: readonly string[]): Lock {
    const nowMs = this.ports.clock.monotonicMs();
    if (this.hopelessUntilMs.size >= MAX_HOPELESS) this.hopelessUntilMs.clear();
    for (const key of keys) {
      if ((this.hopelessUntilMs.get(key) ?? 0) > nowMs) continue;
      this.hopelessUntilMs.set(key, nowMs + this.options.ttlMs);
    }
    return this.skip('wait-over');
  }

  /** The keys taken; undefined when Redis failed. */
  private async tryOnce(
    keys: readonly string[],
    owner: string,
  ): Promise<readonly string[] | undefined> {
    const replies = await sendAll(
      this.client,
      keys.map((key) => ['SET', key, owner, 'PX', this.options.ttlMs, 'NX'] as const),
    );
    const failure = firstFailure(replies);
    if (failure === undefined) {
      this.gate.succeeded();
      return keys.filter((_, i) => replies[i]?.ok && replies[i].value === 'OK');
    }
    this.gate.failed(failure);
    // A SET whose reply did not come may still be carried out; what follows it undoes it.
    void this.deleteKeys(keys, owner);
    return undefined;
  }

  private hold(keys: readonly string[], owner: string): Lock {
    for (const key of keys) this.hopelessUntilMs.delete(key);
    const everyMs = this.options.ttlMs / 3;
    const lock: HeldLock = {
      owner,
      keys,
      extendAtMs: this.ports.clock.monotonicMs() + everyMs,
      extensions: 0,
    };
    this.held.add(lock);
    // One timer for all locks: a timer per batch would cost more than the extension it rarely needs.
    this.extender ??= setInterval(this.extendDue, everyMs / 2).unref();
    return { release: () => this.release(lock) };
  }

  private async release(lock: HeldLock): Promise<void> {
    if (!this.held.delete(lock)) return;
    await this.deleteKeys(lock.keys, lock.owner);
  }

  private async deleteKeys(keys: readonly string[], owner: string): Promise<void> {
    if (this.client.status !== 'ready') return;
    const calls = keys.map((key) => ({ key, args: [owner] }));
    const failure = firstFailure(await runScript(this.client, LUA.releaseLock, calls));
    if (failure !== undefined) this.gate.failed(failure);
  }

  private readonly extendDue = (): void => {
    if (this.held.size === 0) {
      clearInterval(this.extender);
      this.extender = undefined;
      return;
    }
    const nowMs = this.ports.clock.monotonicMs();
    for (const lock of this.held) {
      if (lock.extendAtMs > nowMs || !this.gate.mayTry()) continue;
      lock.extensions += 1;
      lock.extendAtMs = nowMs + this.options.ttlMs / 3;
      if (lock.extensions > MAX_EXTENSIONS) this.held.delete(lock);
      else void this.extend(lock);
    }
  };

  private async extend(lock: HeldLock): Promise<void> {
    const calls = lock.keys.map((key) => ({ key, args: [lock.owner, this.options.ttlMs] }));
    const replies = await runScript(this.client, LUA.extendLock, calls);
    const failure = firstFailure(replies);
    if (failure !== undefined) this.gate.failed(failure);
    else if (replies.some((reply) => reply.ok && reply.value !== 1)) this.skip('lost');
  }

  private skip(reason: 'redis-away' | 'busy' | 'wait-over' | 'lost'): Lock {
    this.ports.metrics.count('nonce_lock_skipped_total', { reason });
    return NOTHING_HELD;
  }
}

function firstFailure(replies: readonly RedisReply[]): Error | undefined {
  for (const reply of replies) if (!reply.ok) return reply.error;
  return undefined;
}

function jittered(): number {
  return POLL_MIN_MS + Math.random() * (POLL_MAX_MS - POLL_MIN_MS);
}
