import type { GeneratedFile } from '../generate/generated-file';
import { appEnvironments } from '../environment/app-environments';
import { configurationPage } from './configuration-page';
import { errorsPage } from './errors-page';
import { metricsPage } from './metrics-page';
import { modesPage } from './modes-page';
import { pageWithSnippets } from './snippets';
import { stateMachinePage } from './state-machine-page';

/** The reference pages made from tables of the program, and pages that show code of examples. */
export async function docsFiles(root: string): Promise<readonly GeneratedFile[]> {
  const environments = await appEnvironments(root);
  return [
    { path: 'README.md', content: pageWithSnippets(root, 'README.md') },
    { path: 'docs/configuration.md', content: configurationPage(environments) },
    { path: 'docs/errors.md', content: errorsPage() },
    { path: 'docs/metrics.md', content: metricsPage() },
    { path: 'docs/modes.md', content: modesPage(root, environments) },
    { path: 'docs/state-machine.md', content: stateMachinePage() },
  ];
}
