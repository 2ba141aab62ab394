import { docsFiles } from '../docs/docs-files';
import { embeddedFiles } from '../embed/embedded-files';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import { runGenerator } from './run-generator';

void runGenerator(
  { root: WORKSPACE_ROOT, command: 'npm run generate' },
  process.argv.slice(2),
  async () => [...embeddedFiles(WORKSPACE_ROOT), ...(await docsFiles(WORKSPACE_ROOT))],
).then((code) => {
  process.exitCode = code;
});
