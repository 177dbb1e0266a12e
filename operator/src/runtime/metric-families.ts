import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

interface Family {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/**
 * Metrics by name, made when first asked for: several controllers and informers share one family and differ in their
 * labels.
 */
export class MetricFamilies {
  readonly #registry: Registry;
  readonly #samplers: (() => void)[] = [];

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  counter(family: Family): Counter {
    const known = this.#registry.getSingleMetric(family.name);
    return known instanceof Counter ? known : new Counter(this.#configuration(family));
  }

  gauge(family: Family): Gauge {
    const known = this.#registry.getSingleMetric(family.name);
    return known instanceof Gauge ? known : new Gauge(this.#configuration(family));
  }

  histogram(family: Family, buckets: readonly number[]): Histogram {
    const known = this.#registry.getSingleMetric(family.name);
    return known instanceof Histogram
      ? known
      : new Histogram({ ...this.#configuration(family), buckets: [...buckets] });
  }

  /** Sets a gauge to what `value` says at each `sample`. */
  sampled(family: Family, labels: Readonly<Record<string, string>>, value: () => number): void {
    const gauge = this.gauge(family);
    this.#samplers.push(() => gauge.set(labels, value()));
  }

  /** Call before each scrape. */
  sample(): void {
    for (const sampler of this.#samplers) sampler();
  }

  #configuration({ name, help, labelNames }: Family): {
    name: string;
    help: string;
    labelNames: string[];
    registers: [Registry];
  } {
    return { name, help, labelNames: [...labelNames], registers: [this.#registry] };
  }
}
