import { startStack } from '../../src/stack/index';
import { report } from '../../../libs/nonce-core/test/support/child-messages';

/** Starts a stack, reports its pids and waits for its own violent end. */
async function main(): Promise<void> {
  const { servers } = await startStack({ environment: {} });
  report([servers.postgres?.pid, servers.redis?.pid, servers.anvil?.pid]);
}

void main();
