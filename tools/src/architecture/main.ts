import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import { checkImports } from './import-rules';
import { checkStructure } from './structure-rules';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { root: { type: 'string' } } });
  const root = resolve(values.root ?? WORKSPACE_ROOT);
  const violations = [...(await checkImports(root)), ...checkStructure(root)];
  for (const { rule, file, message } of violations) console.error(`${file}: ${rule}: ${message}`);
  if (violations.length > 0) {
    console.error(`${violations.length} violations; the rules are in .dependency-cruiser.cjs`);
    process.exitCode = 1;
  }
}

void main();
