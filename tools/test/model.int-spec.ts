import { existsSync, readdirSync } from 'node:fs';
import { ServerDirectory } from '../src/stack/server-directory';
import { checkAll, reportOf } from '../src/model/check-all';
import { checkCase } from '../src/model/check-case';
import { findCheckerTools, type CheckerTools } from '../src/model/checker-tools';
import { CLAIMS } from '../src/model/claims';
import { casesOf, type ModelCase } from '../src/model/model-case';

const CASES = casesOf(CLAIMS);
const INSTALL_TIMEOUT_MS = 600_000;
/** The longest search takes ten seconds alone; other tests use the cores too. */
const CASE_TIMEOUT_MS = 180_000;

describe('the model of the allocation protocol', () => {
  let tools: CheckerTools;
  let directory: ServerDirectory;

  beforeAll(async () => {
    tools = await findCheckerTools((line) => process.stdout.write(`${line}\n`));
    directory = ServerDirectory.open(undefined);
  }, INSTALL_TIMEOUT_MS);

  afterAll(async () => {
    const { path } = directory;
    await directory.release();
    expect(existsSync(path)).toBe(false);
  });

  it.each(CASES)(
    '$title',
    async (modelCase) => {
      const verdict = await checkCase(modelCase, { tools, directory: directory.path });
      expect(verdict).toMatchObject({ kind: modelCase.expected });
      expect(readdirSync(directory.path)).toEqual([]);
    },
    CASE_TIMEOUT_MS,
  );

  const strict = CASES.find(({ title }) => title.startsWith('strict issues')) as ModelCase;

  it('calls a search that was cut off no proof', async () => {
    const shallow: ModelCase = { ...strict, panOptions: ['-m50', '-w18'] };
    const verdict = await checkCase(shallow, { tools, directory: directory.path });
    expect(verdict).toEqual({
      kind: 'undecided',
      reason: expect.stringContaining('depth too small'),
    });
  });

  it('fails when a duplicate that has to appear does not, and says how to look', async () => {
    const toothless: ModelCase = { ...strict, title: 'toothless', expected: 'broken' };
    const lines: string[] = [];
    const say = (line: string): void => {
      lines.push(line);
    };
    const checked = await checkAll([toothless], { tools, say });
    expect(lines).toEqual([
      expect.stringMatching(/^\[1\/1\] toothless: FAILED, holds, 223,169 states/),
    ]);
    expect(reportOf(checked)).toContain('NOT MET: toothless\n  by hand: cd "$(mktemp -d)" && spin');
    expect(reportOf(checked)).toContain('0 of 1 as expected');
  });
});
