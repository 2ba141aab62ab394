import { RedisReplicaPair, RedisServer } from '../../../../../tools/src/stack/index';
import { parseSubmitter } from '../../../src/domain/submitter';
import { startTestChain, type TestChain } from '../../support/test-chain';
import { startTestPostgres, type TestPostgres } from '../../support/test-database';

interface Wanted {
  readonly replica: boolean;
  readonly chain: boolean;
}

export interface ChaosServers {
  readonly postgres: TestPostgres;
  readonly redis: RedisServer;
  readonly pair: RedisReplicaPair | null;
  readonly chain: TestChain | null;
}

export async function startServers({ replica, chain }: Wanted): Promise<ChaosServers> {
  const [postgres, pair, single, testChain] = await Promise.all([
    startTestPostgres(),
    replica ? RedisReplicaPair.start() : null,
    replica ? null : RedisServer.start(),
    chain ? startTestChain() : null,
  ]);
  const redis = single ?? pair?.first;
  if (redis === undefined) throw new Error('no Redis was started');
  return { postgres, pair, redis, chain: testChain };
}

export function submitterOn({ chainId, account }: TestChain, index: number): string {
  return parseSubmitter({ chainId, address: account(index).address });
}
