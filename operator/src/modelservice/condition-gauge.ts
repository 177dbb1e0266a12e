import type { ScrapedGauge } from '../runtime/exposition.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import type { ModelService } from './resource.ts';

/**
 * Each condition of each ModelService as one series, which says its present status and reason.
 *
 * @param tells false: nothing is told, for the store may not be current, or another operator tells it
 */
export function conditionGauge(services: StoreReader<ModelService>, tells: () => boolean): ScrapedGauge {
  return {
    name: 'modelservice_condition',
    help: 'Always 1: the present status and reason of each condition of each ModelService.',
    *series() {
      for (const service of tells() ? services.list() : []) {
        const { namespace = '', name } = service.metadata;
        for (const { type, status, reason } of service.status.conditions ?? []) {
          yield { labels: { namespace, name, type, status, reason }, value: 1 };
        }
      }
    },
  };
}
