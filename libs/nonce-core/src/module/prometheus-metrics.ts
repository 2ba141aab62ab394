import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { METRICS, type MetricName, type Metrics } from '../ports/metrics.port';

/** From a statement on a warm connection to a handler that waits for a slow node. */
const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
const COUNT_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

type Labels = Readonly<Record<string, string>>;
type Instrument = Counter | Gauge | Histogram;

/** The metrics table as instruments of one registry. */
export class PrometheusMetrics implements Metrics {
  private readonly instruments = new Map<MetricName, Instrument>();

  constructor(registry: Registry) {
    for (const name of Object.keys(METRICS) as MetricName[]) {
      // A registry of the host may serve several modules: they then share each instrument.
      const existing = registry.getSingleMetric(name) as Instrument | undefined;
      this.instruments.set(name, existing ?? create(name, registry));
    }
  }

  count(name: MetricName, labels: Labels, by = 1): void {
    (this.instruments.get(name) as Counter).inc(labels, by);
  }

  set(name: MetricName, labels: Labels, value: number): void {
    (this.instruments.get(name) as Gauge).set(labels, value);
  }

  observe(name: MetricName, labels: Labels, value: number): void {
    (this.instruments.get(name) as Histogram).observe(labels, value);
  }
}

function create(name: MetricName, registry: Registry): Instrument {
  const { kind, help, labels } = METRICS[name];
  const configuration = { name, help, labelNames: [...labels], registers: [registry] };
  switch (kind) {
    case 'counter':
      return new Counter(configuration);
    case 'gauge':
      return new Gauge(configuration);
    case 'histogram': {
      const buckets = name.endsWith('_seconds') ? SECONDS_BUCKETS : COUNT_BUCKETS;
      return new Histogram({ ...configuration, buckets });
    }
  }
}
