import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readApiKeyFile } from '../config/api-key-file';
import { digestOfKey } from '../http/authenticator';

const KEY = 'a'.repeat(24);

describe('readApiKeyFile', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'noncekit-keys-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function read(text: string): ReturnType<typeof readApiKeyFile> {
    const path = join(folder, 'keys');
    writeFileSync(path, text);
    return readApiKeyFile(path);
  }

  it('reads names, scopes and digests, and leaves out comments and empty lines', () => {
    const file = read(
      `# ours\n\ndemo:nonce:read,nonce:allocate:${KEY}\r\n ops:ops:write:${KEY}b\n`,
    );
    expect(file).toEqual({
      problems: [],
      keys: [
        { name: 'demo', scopes: ['nonce:read', 'nonce:allocate'], digest: digestOfKey(KEY) },
        { name: 'ops', scopes: ['ops:write'], digest: digestOfKey(`${KEY}b`) },
      ],
    });
  });

  it('names every bad line and never repeats its key', () => {
    const file = read(`demo\ndemo:nonce:all:${KEY}\nde mo:ops:read:${KEY}\ndemo:ops:read:short\n`);
    expect(file.problems.map((problem) => problem.pointer)).toEqual(
      [1, 2, 3, 4].map((line) => `/NONCE_API_KEYS_FILE/${line}`),
    );
    expect(JSON.stringify(file.problems)).not.toMatch(/aaaa|short/);
  });

  it('reports a file that is not there', () => {
    expect(readApiKeyFile(join(folder, 'absent')).problems).toHaveLength(1);
  });
});
