import { type Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { type ControllerMetrics, controllerMetrics } from './controller-metrics.ts';
import { familyText, type ScrapedGauge } from './exposition.ts';
import { MetricFamilies } from './metric-families.ts';
import type { WorkQueue, WorkQueueMetrics } from './work-queue.ts';
import { workQueueMetrics } from './work-queue-metrics.ts';

/** What one type's list and watch tell their metrics. */
export interface ReflectorMetrics {
  listed(ok: boolean): void;
  watched(ok: boolean): void;
}

export type ApplyResult = 'applied' | 'skipped' | 'failed';

/**
 * The operator's metrics under controller-runtime's and client-go's names, so that existing dashboards work. Made once
 * and handed to what counts; label sets begin at 0.
 */
export class OperatorMetrics {
  /** For metrics of the domain's own. */
  readonly registry = new Registry();
  readonly #families = new MetricFamilies(this.registry);
  readonly #requests: Counter;
  readonly #applies: Counter;
  readonly #scraped: ScrapedGauge[] = [];

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.#requests = this.#families.counter({
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host.',
      labelNames: ['code', 'method', 'host'],
    });
    this.#applies = this.#families.counter({
      name: 'server_side_apply_total',
      help: 'Number of intents, partitioned by whether an apply was sent, skipped because nothing differed, or failed.',
      labelNames: ['kind', 'manager', 'result'],
    });
  }

  /** For the transport's `onResponse`. */
  readonly countRequest = (response: { readonly code: string; readonly method: string; readonly host: string }): void =>
    this.#requests.inc({ code: response.code, method: response.method, host: response.host });

  /** For the applier's `onResult`. */
  readonly countApply = (kind: string, manager: string, result: ApplyResult): void =>
    this.#applies.inc({ kind, manager, result });

  forReflector(kind: string): ReflectorMetrics {
    const counted = (verb: string) => {
      const family = (name: string, help: string) => this.#families.counter({ name, help, labelNames: ['kind'] });
      const total = family(`${verb}_operations_total`, `Number of ${verb} operations.`);
      const failed = family(`${verb}_operations_failed_total`, `Number of ${verb} operations that failed.`);
      total.inc({ kind }, 0);
      failed.inc({ kind }, 0);
      return (ok: boolean): void => {
        total.inc({ kind });
        if (!ok) failed.inc({ kind });
      };
    };
    return { listed: counted('list'), watched: counted('watch') };
  }

  forController(controller: string, workers: number): ControllerMetrics {
    return controllerMetrics(this.#families, controller, workers);
  }

  forWorkQueue(controller: string, queue: () => WorkQueue): WorkQueueMetrics {
    return workQueueMetrics(this.#families, controller, queue);
  }

  /** For many series that are known elsewhere: nothing is kept of them here. */
  addScraped(gauge: ScrapedGauge): void {
    this.#scraped.push(gauge);
  }

  /** 1 while this process leads; `name` is the Lease's. */
  forLeaderElection(name: string): (leading: boolean) => void {
    const gauge = this.#families.gauge({
      name: 'leader_election_master_status',
      help: 'Whether this process leads: 1, or 0 for a standby. "name" is the Lease.',
      labelNames: ['name'],
    });
    gauge.set({ name }, 0);
    return (leading) => gauge.set({ name }, leading ? 1 : 0);
  }

  /** The text that Prometheus reads, and its content type. */
  async exposition(): Promise<{ readonly text: string; readonly contentType: string }> {
    this.#families.sample();
    const texts = [await this.registry.metrics(), ...this.#scraped.map(familyText)];
    return { text: texts.join(''), contentType: this.registry.contentType };
  }
}
