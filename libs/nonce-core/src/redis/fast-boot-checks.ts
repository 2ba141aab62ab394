import { NonceError } from '../domain/errors/nonce-error';
import { isCluster, type RedisClient } from './redis-client';

/** What was found; `problems` forbid the fast store, `warnings` say what it may cost to ignore them. */
interface FastBootFindings {
  readonly problems: readonly NonceError[];
  readonly warnings: readonly string[];
}

/** A part of ioredis' client for one server. */
type Server = Pick<Extract<RedisClient, { isCluster: boolean }>, 'call'>;

/** The stream ids that the scripts ask for (`<birth>-*`) came with this version. */
const MIN_MAJOR_VERSION = 7;

/**
 * Checks whether the Redis of `client` may hold nonces, on every primary of a Cluster.
 * Managed servers often forbid CONFIG: what INFO tells instead is used, and what nobody tells is a
 * warning.
 * @throws Error when a server does not answer at all.
 */
export async function checkFastBoot(client: RedisClient): Promise<FastBootFindings> {
  const servers: readonly Server[] = isCluster(client) ? client.nodes('master') : [client];
  if (servers.length === 0) throw new Error('no primary of the cluster is known yet');
  const findings = await Promise.all(servers.map((server) => checkServer(server)));
  return {
    problems: findings.flatMap(({ problems }) => problems),
    warnings: [...new Set(findings.flatMap(({ warnings }) => warnings))],
  };
}

async function checkServer(server: Server): Promise<FastBootFindings> {
  const facts = await factsOf(server);
  const checks = [checkVersion, checkEviction, checkPersistence, checkBacklog];
  const found = checks.flatMap((check) => check(facts));
  return {
    problems: found.filter((finding) => finding instanceof NonceError),
    warnings: found.filter((finding) => typeof finding === 'string'),
  };
}

type Facts = ReadonlyMap<string, string>;
type Finding = NonceError | string;

function checkVersion(facts: Facts): readonly Finding[] {
  const version = facts.get('redis_version') ?? '';
  if (version === '' || Number.parseInt(version, 10) >= MIN_MAJOR_VERSION) return [];
  return [
    new NonceError('NONCE_CONFIG_INVALID', {
      message: `The performance mode needs Redis ${String(MIN_MAJOR_VERSION)} or later.`,
      context: { found: version, fix: `Upgrade Redis to ${String(MIN_MAJOR_VERSION)} or later.` },
    }),
  ];
}

function checkEviction(facts: Facts): readonly Finding[] {
  const policy = facts.get('maxmemory-policy') ?? facts.get('maxmemory_policy');
  if (policy === undefined) {
    return [
      'maxmemory-policy cannot be read: make sure that it is noeviction, or nonces may be lost',
    ];
  }
  if (policy === 'noeviction') return [];
  const fix = 'Set `maxmemory-policy noeviction`.';
  const message = `Redis may evict keys (maxmemory-policy ${policy}), so it cannot hold nonces. ${fix}`;
  return [new NonceError('NONCE_REDIS_EVICTION', { message, context: { policy, fix } })];
}

function checkPersistence(facts: Facts): readonly Finding[] {
  const appendonly = facts.get('appendonly') ?? yesOrNo(facts.get('aof_enabled'));
  if (appendonly === undefined) {
    return ['appendonly cannot be read: make sure that it is yes, or a restart loses events'];
  }
  if (appendonly !== 'yes') {
    return [
      'appendonly is no: a restart of Redis loses what was not flushed to Postgres; set `appendonly yes`',
    ];
  }
  const appendfsync = facts.get('appendfsync');
  if (appendfsync === undefined) {
    return ['appendfsync cannot be read: make sure that it is everysec or always'];
  }
  if (appendfsync === 'everysec' || appendfsync === 'always') return [];
  return [
    `appendfsync is ${appendfsync}: a crash may lose many seconds of events; set \`appendfsync everysec\``,
  ];
}

function checkBacklog(facts: Facts): readonly Finding[] {
  const ttl = facts.get('repl-backlog-ttl');
  // Where CONFIG is forbidden the operator cannot change it either.
  if (ttl === undefined || ttl === '0') return [];
  return [
    `repl-backlog-ttl is ${ttl}: a primary left by its replicas for that long gets a new replication id and every submitter a new epoch; set \`repl-backlog-ttl 0\``,
  ];
}

/** What INFO and, where it is allowed, CONFIG tell. */
async function factsOf(server: Server): Promise<Facts> {
  const facts = new Map<string, string>();
  for (const section of ['server', 'memory', 'persistence']) {
    const text = String(await server.call('INFO', section));
    for (const [, name = '', value = ''] of text.matchAll(/^([a-z_]+):(.*?)\r?$/gm)) {
      facts.set(name, value);
    }
  }
  for (const name of ['maxmemory-policy', 'appendonly', 'appendfsync', 'repl-backlog-ttl']) {
    const value = await setting(server, name);
    if (value !== undefined) facts.set(name, value);
  }
  return facts;
}

async function setting(server: Server, name: string): Promise<string | undefined> {
  try {
    const reply = await server.call('CONFIG', 'GET', name);
    return Array.isArray(reply) && reply.length === 2 ? String(reply[1]) : undefined;
  } catch {
    return undefined;
  }
}

function yesOrNo(flag: string | undefined): string | undefined {
  if (flag === undefined) return undefined;
  return flag === '1' ? 'yes' : 'no';
}
