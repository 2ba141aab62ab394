import { appEnvironments } from '../environment/app-environments';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import { knownNames } from './known-names';
import { lintDocker } from './lint-docker';

async function main(): Promise<void> {
  const environments = await appEnvironments(WORKSPACE_ROOT);
  const findings = lintDocker(WORKSPACE_ROOT, knownNames(environments));
  for (const { file, message } of findings) console.error(`${file}: ${message}`);
  if (findings.length > 0) process.exitCode = 1;
}

void main();
