import type { RedisClient } from './redis-client';
import type { LuaScript } from './generated/lua';

/** One command with its arguments, as Redis takes them. */
export type RedisCommand = readonly [name: string, ...args: (string | number)[]];

export type RedisReply =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: Error };

/**
 * Sends all commands in one round trip and gives one reply per command; never rejects.
 * A Cluster takes no pipeline over several slots: there the commands are written at once, each to
 * the node of its key.
 */
export async function sendAll(
  client: RedisClient,
  commands: readonly RedisCommand[],
): Promise<readonly RedisReply[]> {
  try {
    if (commands.length > 1 && !client.isCluster) return await sendPipeline(client, commands);
    return await Promise.all(commands.map(([name, ...args]) => sendOne(client, name, args)));
  } catch (error) {
    const failed: RedisReply = { ok: false, error: asError(error) };
    return commands.map(() => failed);
  }
}

/**
 * Runs one script once per key, in one round trip. A server that does not know the script yet
 * (NOSCRIPT) gets its text: these scripts depend on nothing that a restart could have lost.
 */
export async function runScript(
  client: RedisClient,
  script: LuaScript,
  calls: readonly { readonly key: string; readonly args: readonly (string | number)[] }[],
): Promise<readonly RedisReply[]> {
  const replies = await sendAll(
    client,
    calls.map(({ key, args }): RedisCommand => ['EVALSHA', script.sha1, 1, key, ...args]),
  );
  if (!replies.some(isScriptUnknown)) return replies;
  const again = calls.filter((_, i) => isScriptUnknown(replies[i]));
  const texts = again.map(({ key, args }): RedisCommand => ['EVAL', script.text, 1, key, ...args]);
  const second = [...(await sendAll(client, texts))];
  return replies.map((reply) => (isScriptUnknown(reply) ? (second.shift() ?? reply) : reply));
}

async function sendPipeline(
  client: RedisClient,
  commands: readonly RedisCommand[],
): Promise<readonly RedisReply[]> {
  const pipeline = client.pipeline();
  for (const [name, ...args] of commands) pipeline.call(name, ...args);
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, value]) => (error ? { ok: false, error } : { ok: true, value }));
}

async function sendOne(
  client: RedisClient,
  name: string,
  args: (string | number)[],
): Promise<RedisReply> {
  try {
    return { ok: true, value: await client.call(name, ...args) };
  } catch (error) {
    return { ok: false, error: asError(error) };
  }
}

function isScriptUnknown(reply: RedisReply | undefined): boolean {
  return reply !== undefined && !reply.ok && reply.error.message.startsWith('NOSCRIPT');
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
