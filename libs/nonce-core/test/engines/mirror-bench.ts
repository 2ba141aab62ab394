import { Redis } from 'ioredis';
import type { Submitter } from '../../src/domain/submitter';
import {
  CompareMirror,
  type CompareMirrorOptions,
  type CompareMirrorPorts,
} from '../../src/engines/dual-write/compare-mirror';
import { DualWriteEngine } from '../../src/engines/dual-write/dual-write-engine';
import { MirrorBuffer } from '../../src/engines/dual-write/mirror-buffer';
import { ReliableEngine } from '../../src/engines/reliable/reliable-engine';
import type { MirrorCopy, MirroredNonce, MirrorStore } from '../../src/ports/mirror.port';
import type { METRICS } from '../../src/ports/metrics.port';
import { NO_METRICS, type Metrics } from '../../src/ports/metrics.port';
import { PostgresAllocationStore } from '../../src/postgres/postgres-allocation-store';
import { PostgresMirrorTruth } from '../../src/postgres/postgres-mirror-truth';
import { PostgresSubmitterStore } from '../../src/postgres/postgres-submitter-store';
import { duplicateForFastStore } from '../../src/redis/fast-connection';
import { FastKeys } from '../../src/redis/fast-keys';
import type { RedisClient } from '../../src/redis/redis-client';
import { RedisMirror } from '../../src/redis/redis-mirror';
import { contractWorld } from '../../src/testing';
import { ALWAYS_GRANTED, SYSTEM_CLOCK } from '../contract/postgres-subject';
import { openStore, type StoreFixture } from '../support/store-fixture';

const STOP_MS = 5_000;

/** Every difference counts at once: nothing moves while these tests look. */
const STILL = { inMotionMs: 0, lateCommitMs: 0 };

export interface MirrorNode {
  readonly engine: DualWriteEngine;
  readonly buffer: MirrorBuffer;
}

export interface MirrorBench extends StoreFixture {
  readonly keys: FastKeys;
  readonly client: RedisClient;
  readonly mirror: RedisMirror;
  readonly truth: PostgresMirrorTruth;
  node(store?: Pick<MirrorStore, 'shardOf' | 'write'>): MirrorNode;
  /** The authority of one more node. */
  reliable(): ReliableEngine;
  comparator(
    options?: Partial<CompareMirrorOptions>,
    ports?: Partial<CompareMirrorPorts>,
    owner?: string,
  ): CompareMirror;
  copyOf(submitter: Submitter): Promise<MirrorCopy>;
  /** What the mirror holds of nonces that are not settled, lowest first. */
  openInMirror(submitter: Submitter): Promise<readonly MirroredNonce[]>;
  /** The same of Postgres. */
  openInPostgres(submitter: Submitter): Promise<readonly MirroredNonce[]>;
}

/** A dual-write installation: a database of its own, and a part of a Redis. */
export async function openMirrorBench(redis: {
  readonly url: string;
  readonly prefix: string;
}): Promise<MirrorBench> {
  const fixture = await openStore();
  const host = new Redis(redis.url, { lazyConnect: true, disconnectTimeout: 50 });
  const client = duplicateForFastStore(host);
  await new Promise<void>((resolve) => client.once('ready', resolve));
  const keys = new FastKeys({ prefix: redis.prefix });
  const mirror = new RedisMirror(client, keys);
  const truth = new PostgresMirrorTruth(fixture.runner);
  const ends: (() => Promise<void>)[] = [];
  const copyOf = async (submitter: Submitter): Promise<MirrorCopy> =>
    (await mirror.read([submitter]))[0]!;
  return {
    ...fixture,
    ...{ keys, client, mirror, truth, copyOf },
    node: (store = mirror) => {
      const { node, end } = nodeOn(fixture, store);
      ends.push(end);
      return node;
    },
    reliable: () => {
      const reliable = reliableOn(fixture);
      ends.push(() => reliable.stop(STOP_MS));
      return reliable;
    },
    comparator: (options = {}, ports = {}, owner = 'the only one') =>
      new CompareMirror(
        {
          ...{ truth, mirror, clock: SYSTEM_CLOCK, metrics: NO_METRICS },
          events: { publish: () => undefined },
          scope: { active: () => true, epoch: () => 1, covers: () => true },
          ...ports,
        },
        owner,
        { ...STILL, ...options },
      ),
    openInMirror: async (submitter) => {
      const { nonces } = await copyOf(submitter);
      return [...nonces.values()]
        .flatMap(({ value }) => (value !== null && !isSettled(value) ? [value] : []))
        .sort((a, b) => a.nonce - b.nonce);
    },
    openInPostgres: async (submitter) =>
      (await truth.read([submitter], 10_000)).get(submitter)?.open ?? [],
    close: async () => {
      for (const end of ends) await end();
      client.disconnect();
      host.disconnect();
      await fixture.close();
    },
  };
}

function reliableOn({ runner }: StoreFixture): ReliableEngine {
  const world = contractWorld();
  return new ReliableEngine(
    {
      store: new PostgresAllocationStore(runner),
      submitters: new PostgresSubmitterStore(runner),
      ...{ baseline: world.baseline, chains: world.chains, locks: ALWAYS_GRANTED },
      ...{ clock: SYSTEM_CLOCK, metrics: NO_METRICS, events: { publish: () => undefined } },
    },
    { maxInFlight: world.maxInFlight, quarantine: world.quarantine },
  );
}

function nodeOn(
  fixture: StoreFixture,
  store: Pick<MirrorStore, 'shardOf' | 'write'>,
): { node: MirrorNode; end: () => Promise<void> } {
  const reliable = reliableOn(fixture);
  const buffer = new MirrorBuffer({ store, clock: SYSTEM_CLOCK, metrics: NO_METRICS });
  const end = async (): Promise<void> => {
    await reliable.stop(STOP_MS);
    await buffer.stop(STOP_MS);
  };
  return { node: { engine: new DualWriteEngine(reliable, buffer), buffer }, end };
}

function isSettled({ stage }: MirroredNonce): boolean {
  return ['ASSERTED', 'CONFIRMED', 'FINAL', 'BURNT', 'CONSUMED_EXTERNAL'].includes(stage);
}

/** Metrics that remember their sums, by name and labels. */
export function countingMetrics(): Metrics & {
  of(name: keyof typeof METRICS, label?: string): number;
} {
  const sums = new Map<string, number>();
  const keyOf = (name: string, labels: object): string =>
    [name, ...(Object.values(labels) as string[])].join(' ');
  return {
    count: (name, labels, by = 1) => {
      sums.set(keyOf(name, labels), (sums.get(keyOf(name, labels)) ?? 0) + by);
    },
    set: (name, labels, value) => sums.set(keyOf(name, labels), value),
    observe: () => undefined,
    of: (name, label) => sums.get(label === undefined ? name : `${name} ${label}`) ?? 0,
  };
}
