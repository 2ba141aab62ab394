import type { LuaScript } from './generated/lua';
import type { RedisClient } from './redis-client';
import { sendAll, type RedisCommand, type RedisReply } from './redis-commands';

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/**
 * Runs one script once per call, all in one round trip, each for one shard. A server that does not
 * know the script yet (NOSCRIPT) has run nothing, so it gets the text: the script itself judges
 * whether that server is still the one its caller means. No other failure is tried again.
 */
export async function runFastScript(
  client: RedisClient,
  script: LuaScript,
  calls: readonly ScriptCall[],
): Promise<readonly RedisReply[]> {
  if (client.isCluster && client.status !== 'ready') return calls.map(neverSent);
  const replies = await sendAll(client, commands('EVALSHA', script.sha1, calls));
  const unknown = calls.filter((_, i) => isScriptUnknown(replies[i]));
  if (unknown.length === 0) return replies;
  const again = [...(await sendAll(client, commands('EVAL', script.text, unknown)))];
  return replies.map((reply) => (isScriptUnknown(reply) ? (again.shift() ?? reply) : reply));
}

function commands(
  name: 'EVALSHA' | 'EVAL',
  script: string,
  calls: readonly ScriptCall[],
): readonly RedisCommand[] {
  return calls.map(({ keys, args }) => [name, script, keys.length, ...keys, ...args]);
}

/** A Cluster that is away would queue, and run much later what its caller has given up. */
function neverSent(): RedisReply {
  return { ok: false, error: new Error("Cluster isn't ready and enableOfflineQueue is not used") };
}

function isScriptUnknown(reply: RedisReply | undefined): boolean {
  return reply !== undefined && !reply.ok && reply.error.message.startsWith('NOSCRIPT');
}
