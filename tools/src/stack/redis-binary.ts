import type { Machine } from './apt-packages';
import { installedProgram, type WantedProgram } from './installed-program';

const REDIS: WantedProgram = {
  name: 'Redis',
  programs: ['redis-server', 'valkey-server'],
  // Newer systems carry Valkey only.
  packages: [['redis-server'], ['valkey-server']],
  fix: 'install it ("apt-get install redis-server", "brew install redis"), or set NONCE_REDIS_URL',
};

/** @throws StackError that says how to install it. */
export function findRedisBinary(log: (line: string) => void, machine?: Machine): Promise<string> {
  return installedProgram(REDIS, log, machine);
}
