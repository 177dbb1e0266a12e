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
    labelNames: ['namespace', 'name', 'type', 'status', 'reason'],
    eachSeries(tell) {
      for (const { metadata, status } of tells() ? services.list() : []) {
        for (const { type, status: is, reason } of status.conditions ?? []) {
          tell(1, metadata.namespace ?? '', metadata.name, type, is, reason);
        }
      }
    },
  };
}
