interface Stoppable {
  stop(): Promise<void>;
}

/**
 * Starts several servers at once. All of them, or none: when one fails the others are ended.
 * @throws whatever the first one to fail said.
 */
export async function startTogether<Server extends Stoppable>(
  count: number,
  start: () => Promise<Server>,
): Promise<readonly Server[]> {
  const begun = await Promise.allSettled(Array.from({ length: count }, start));
  const servers = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = begun.find((each) => each.status === 'rejected');
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => server.stop()));
  throw failed.reason;
}
