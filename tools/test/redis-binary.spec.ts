import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisBinary } from '../src/stack/redis-binary';

const EMPTY_PROGRAM = '#!/bin/sh\n';
/** An apt-get that installs by putting a program beside itself, and nothing on `update`. */
const INSTALLER = `#!/bin/sh
[ "$1" = install ] || exit 0
printf '#!/bin/sh\\n' > "\${0%/*}/redis-server"
/bin/chmod 755 "\${0%/*}/redis-server"
`;
const BROKEN_INSTALLER = '#!/bin/sh\necho "E: no network"\nexit 100\n';

describe('the search for a Redis', () => {
  let path: string;
  const log = (): void => undefined;

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'noncekit-test-'));
  });
  afterEach(() => {
    rmSync(path, { recursive: true });
  });
  const program = (name: string, text: string): void => {
    writeFileSync(join(path, name), text, { mode: 0o755 });
  };

  it('takes Valkey where there is no Redis', async () => {
    program('valkey-server', EMPTY_PROGRAM);
    const found = await findRedisBinary(log, { path, isRoot: false });
    expect(found).toBe(join(path, 'valkey-server'));
  });

  it('installs one as root, and says so', async () => {
    program('apt-get', INSTALLER);
    const lines: string[] = [];
    const keep = (line: string): void => {
      lines.push(line);
    };
    const found = await findRedisBinary(keep, { path, isRoot: true });
    expect(found).toBe(join(path, 'redis-server'));
    expect(lines).toEqual(['Redis: not on this machine, installing the package redis-server']);
  });

  it('tells how to install it to everybody else', async () => {
    program('apt-get', INSTALLER);
    await expect(findRedisBinary(log, { path, isRoot: false })).rejects.toThrow(
      /fix: install it .*apt-get install redis-server.*NONCE_REDIS_URL/,
    );
  });

  it('shows what the installer said when it failed', async () => {
    program('apt-get', BROKEN_INSTALLER);
    await expect(findRedisBinary(log, { path, isRoot: true })).rejects.toThrow('E: no network');
  });
});
