import type { GeneratedFile } from '../generate/generated-file';
import { errorsPage } from './errors-page';
import { metricsPage } from './metrics-page';
import { stateMachinePage } from './state-machine-page';

/** The reference pages made from tables of the program. */
export function docsFiles(): readonly GeneratedFile[] {
  return [
    { path: 'docs/errors.md', content: errorsPage() },
    { path: 'docs/metrics.md', content: metricsPage() },
    { path: 'docs/state-machine.md', content: stateMachinePage() },
  ];
}
