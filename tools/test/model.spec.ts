import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findCheckerTools } from '../src/model/checker-tools';
import { readPanReport } from '../src/model/pan-report';

const FULL = `Full statespace search for:
State-vector 92 byte, depth reached 59, errors: 0
    61270 states, stored
`;

describe('the report of pan', () => {
  it('is a proof when all states were searched without an error', () => {
    expect(readPanReport(FULL)).toEqual({ kind: 'holds', states: 61_270 });
  });

  it('is a duplicate only when the assertion about the nonce was violated', () => {
    const nonce = `pan:1: assertion violated (granted[m]==0) (at depth 16)\n${FULL}`;
    expect(readPanReport(nonce)).toEqual({ kind: 'broken', states: 61_270 });
    const other = `pan:1: invalid end state (at depth 3)\n${FULL}`;
    expect(readPanReport(other)).toEqual({
      kind: 'undecided',
      reason: 'pan:1: invalid end state (at depth 3)',
    });
  });

  it.each([
    'error: max search depth too small',
    'pan: reached -DMEMLIM bound',
    'pan: out of memory',
    'Warning: Search not completed',
  ])('is no proof after "%s", though it counts no errors', (line) => {
    expect(readPanReport(`${line}\n${FULL}`)).toEqual({ kind: 'undecided', reason: line });
  });

  it('is no proof when states were stored with losses or none at all', () => {
    const bitstate = FULL.replace('Full statespace', 'Bit statespace');
    expect(readPanReport(bitstate)).toMatchObject({ kind: 'undecided' });
    expect(readPanReport('')).toMatchObject({ kind: 'undecided' });
  });
});

describe('the search for spin and gcc', () => {
  let path: string;
  const log = (): void => undefined;
  const program = (name: string, text = '#!/bin/sh\n'): void => {
    writeFileSync(join(path, name), text, { mode: 0o755 });
  };

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'noncekit-test-'));
  });
  afterEach(() => {
    rmSync(path, { recursive: true });
  });

  it('installs what is missing as root, and says so', async () => {
    program('gcc');
    program(
      'apt-get',
      `#!/bin/sh
case "$*" in install*spin*) printf '#!/bin/sh\\n' > "\${0%/*}/spin"; /bin/chmod 755 "\${0%/*}/spin" ;; esac
`,
    );
    const lines: string[] = [];
    const found = await findCheckerTools((line) => lines.push(line), { path, isRoot: true });
    expect(found).toEqual({ spin: join(path, 'spin'), gcc: join(path, 'gcc') });
    expect(lines).toHaveLength(1);
  });

  it('tells how to install it to everybody else', async () => {
    program('apt-get');
    program('spin');
    await expect(findCheckerTools(log, { path, isRoot: false })).rejects.toThrow(
      /no gcc on the PATH\n.*fix: .*apt-get install spin gcc libc6-dev/,
    );
  });
});
