import { METRICS } from '@noncekit/nonce-core';
import { code, page, table } from './markdown';

/** One row per metric. */
export function metricsPage(): string {
  const rows = Object.entries(METRICS).map(([name, metric]) => [
    code(name),
    metric.kind,
    metric.labels.map(code).join(', '),
    metric.help,
  ]);
  return page('Metrics', 'libs/nonce-core/src/ports/metrics.port.ts', [
    'Served as `/metrics` on the admin port. Labels are bounded: never a nonce, a hash or an id.',
    table(['name', 'kind', 'labels', 'meaning'], rows),
  ]);
}
