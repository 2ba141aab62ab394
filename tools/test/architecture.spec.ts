import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '../src/workspace/workspace-root';
import { CLEAN_FILES, IMPORT_SEEDS, SEED_SUPPORT, STRUCTURE_SEEDS } from './seeded-imports';
import { WorkspaceCopy } from './workspace-copy';

function checkArchitecture(root: string): { code: number | null; lines: string[] } {
  const main = join(WORKSPACE_ROOT, 'tools/dist/architecture/main.js');
  const run = spawnSync(process.execPath, [main, '--root', root], { encoding: 'utf8' });
  return { code: run.status, lines: run.stderr.split('\n').filter((line) => line !== '') };
}

async function ruleNames(): Promise<string[]> {
  const path = join(WORKSPACE_ROOT, '.dependency-cruiser.cjs');
  const config = (await import(path)) as { default: { forbidden: { name: string }[] } };
  return config.default.forbidden.map((rule) => rule.name);
}

describe('the architecture check', () => {
  const workspace = new WorkspaceCopy();
  afterAll(() => {
    workspace.remove();
  });

  it('accepts a workspace that follows the direction', () => {
    for (const [path, text] of Object.entries(CLEAN_FILES)) workspace.write(path, text);
    expect(checkArchitecture(workspace.root)).toEqual({ code: 0, lines: [] });
  });

  describe('with one seeded violation per rule', () => {
    let lines: string[] = [];
    beforeAll(() => {
      for (const [path, text] of Object.entries({ ...CLEAN_FILES, ...SEED_SUPPORT })) {
        workspace.write(path, text);
      }
      for (const { path, text } of [...IMPORT_SEEDS, ...STRUCTURE_SEEDS]) {
        workspace.write(path, text);
      }
      const { code, lines: found } = checkArchitecture(workspace.root);
      expect(code).toBe(1);
      lines = found;
    });

    it.each([...IMPORT_SEEDS, ...STRUCTURE_SEEDS])('catches $rule in $path', ({ rule, path }) => {
      expect(lines.filter((line) => line.startsWith(`${path}: ${rule}: `))).not.toEqual([]);
    });

    it('reports nothing in the files that follow the direction', () => {
      const clean = Object.keys(CLEAN_FILES);
      expect(lines.filter((line) => clean.some((path) => line.startsWith(`${path}: `)))).toEqual(
        [],
      );
    });
  });

  it('has a seed for every import rule', async () => {
    const seeded = new Set(IMPORT_SEEDS.map((seed) => seed.rule));
    expect((await ruleNames()).filter((name) => !seeded.has(name))).toEqual([]);
  });
});
