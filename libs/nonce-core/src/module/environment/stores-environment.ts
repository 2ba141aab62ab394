import {
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
} from 'class-validator';
import type { FieldProblem } from '../../domain/errors/nonce-error';
import { FromEnvironment } from './setting';

const HOST_AND_PORT = /^[^\s:,]+:[0-9]{1,5}$/;

/** Where Postgres and Redis are. At most one form of Redis is given; none means no Redis. */
export class StoresEnvironment {
  @FromEnvironment({
    name: 'NONCE_DATABASE_URL',
    kind: 'text',
    secret: true,
    aliases: ['DATABASE_URL'],
    reason: 'Postgres of the application role; Postgres decides every nonce.',
  })
  @IsNotEmpty()
  @Matches(/^postgres(ql)?:\/\/\S+$/, { message: '$property must be a postgres:// URL' })
  databaseUrl = '';

  @FromEnvironment({
    name: 'NONCE_DATABASE_SCHEMA',
    kind: 'text',
    reason: 'Schema of all tables, so that a shared database can be used.',
  })
  @Matches(/^[a-z_][a-z0-9_]{0,62}$/, { message: '$property must be a plain lower-case name' })
  databaseSchema = 'noncekit';

  @FromEnvironment({
    name: 'NONCE_DATABASE_POOL_SIZE',
    kind: 'integer',
    unit: 'connections',
    reason: 'Connections per process; batches need few, so raise it only with slow storage.',
  })
  @IsInt()
  @Min(2)
  @Max(1_000)
  databasePoolSize = 10;

  @FromEnvironment({
    name: 'NONCE_DATABASE_PREPARED_STATEMENTS',
    kind: 'boolean',
    reason: 'Set false behind a transaction pooler that cannot keep prepared statements.',
  })
  @IsBoolean()
  databasePreparedStatements = true;

  @FromEnvironment({
    name: 'NONCE_DATABASE_SESSION_TIMEOUTS',
    kind: 'boolean',
    reason: 'Set false behind a transaction pooler; the role must carry the timeouts then.',
  })
  @IsBoolean()
  databaseSessionTimeouts = true;

  @FromEnvironment({
    name: 'NONCE_DATABASE_ALLOW_UNSAFE',
    kind: 'boolean',
    reason: 'Starts on a database without fsync or synchronous commit: for throw-away data only.',
  })
  @IsBoolean()
  databaseAllowUnsafe = false;

  @FromEnvironment({
    name: 'NONCE_REDIS_URL',
    kind: 'text',
    secret: true,
    aliases: ['REDIS_URL'],
    reason: 'A single Redis; absent = no Redis, which costs speed only.',
  })
  @IsOptional()
  @Matches(/^rediss?:\/\/\S+$/, { message: '$property must be a redis:// or rediss:// URL' })
  redisUrl?: string;

  @FromEnvironment({
    name: 'NONCE_REDIS_CLUSTER_NODES',
    kind: 'text-list',
    reason: 'Some nodes of a Redis Cluster, as host:port.',
  })
  @Matches(HOST_AND_PORT, { each: true, message: 'each value in $property must be host:port' })
  redisClusterNodes: string[] = [];

  @FromEnvironment({
    name: 'NONCE_REDIS_SENTINELS',
    kind: 'text-list',
    reason: 'Redis Sentinels, as host:port.',
  })
  @Matches(HOST_AND_PORT, { each: true, message: 'each value in $property must be host:port' })
  redisSentinels: string[] = [];

  @FromEnvironment({
    name: 'NONCE_REDIS_SENTINEL_MASTER',
    kind: 'text',
    reason: 'Name of the primary that the sentinels watch.',
  })
  @IsOptional()
  @IsString()
  redisSentinelMaster?: string;

  @FromEnvironment({
    name: 'NONCE_REDIS_ENABLED',
    kind: 'boolean',
    reason: 'Switches Redis off without removing its address.',
  })
  @IsBoolean()
  redisEnabled = true;

  @FromEnvironment({
    name: 'NONCE_REDIS_KEY_PREFIX',
    kind: 'text',
    reason: 'First part of every key, so that one Redis can serve several installations.',
  })
  @Matches(/^[A-Za-z0-9_-]{1,40}$/, { message: '$property must be 1 to 40 of A-Z, a-z, 0-9, _, -' })
  redisKeyPrefix = 'nonce';

  @FromEnvironment({
    name: 'NONCE_REDIS_SHARDS',
    kind: 'integer',
    reason: 'Parts that submitters are spread over in Redis; the same in all processes, for ever.',
  })
  @IsInt()
  @Min(1)
  @Max(1_024)
  redisShards = 64;

  @FromEnvironment({
    name: 'NONCE_LOCK_TTL_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'Life of the Redis lock; only contention depends on it, never safety.',
  })
  @IsInt()
  @Min(100)
  @Max(600_000)
  lockTtlMs = 10_000;

  @FromEnvironment({
    name: 'NONCE_LOCK_WAIT_MS',
    kind: 'integer',
    unit: 'ms',
    reason: 'How long an allocation waits for the Redis lock before it goes on without.',
  })
  @IsInt()
  @Min(0)
  @Max(600_000)
  lockWaitMs = 2_000;

  protected hasRedis(): boolean {
    const given = [this.redisUrl ?? [], this.redisClusterNodes, this.redisSentinels];
    return this.redisEnabled && given.some((form) => form.length > 0);
  }

  protected crossCheckStores(): readonly FieldProblem[] {
    const problems: FieldProblem[] = [];
    const given = [
      this.redisUrl !== undefined,
      this.redisClusterNodes.length > 0,
      this.redisSentinels.length > 0,
    ].filter(Boolean);
    if (given.length > 1) {
      const detail = 'give one of URL, cluster nodes and sentinels';
      problems.push({ pointer: '/NONCE_REDIS_URL', detail });
    }
    if (this.redisSentinels.length > 0 !== (this.redisSentinelMaster !== undefined)) {
      const detail = 'sentinels and the name of their primary are given together';
      problems.push({ pointer: '/NONCE_REDIS_SENTINEL_MASTER', detail });
    }
    return problems;
  }
}
