import { runGenerator } from '../generate/run-generator';
import { WORKSPACE_ROOT } from '../workspace/workspace-root';
import { embeddedFiles } from './embedded-files';

void runGenerator(
  { root: WORKSPACE_ROOT, command: 'node tools/dist/embed/main.js' },
  process.argv.slice(2),
  () => embeddedFiles(WORKSPACE_ROOT),
).then((code) => {
  process.exitCode = code;
});
