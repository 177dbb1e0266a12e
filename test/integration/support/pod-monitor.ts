import type { RenderedObject } from './chart.ts';

interface PodMonitorSpec {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly podMetricsEndpoints: readonly {
    readonly port: string;
    readonly relabelings: readonly { readonly sourceLabels: readonly string[]; readonly targetLabel: string }[];
  }[];
}

/** The scrape configs that prometheus-operator makes of a PodMonitor. */
export function scrapeConfigsOf({ metadata, spec }: RenderedObject, sdConfig: object): readonly object[] {
  const { selector, podMetricsEndpoints } = spec as PodMonitorSpec;
  return podMetricsEndpoints.map(({ port, relabelings }, index) => ({
    job_name: `podMonitor/${metadata.namespace}/${metadata.name}/${index}`,
    ...sdConfig,
    relabel_configs: [
      ...Object.entries(selector.matchLabels).map(([label, value]) => ({
        source_labels: [`__meta_kubernetes_pod_label_${label.replace(/[^a-zA-Z0-9_]/g, '_')}`],
        action: 'keep',
        regex: value,
      })),
      { source_labels: ['__meta_kubernetes_pod_container_port_name'], action: 'keep', regex: port },
      ...relabelings.map(({ sourceLabels, targetLabel }) => ({
        source_labels: sourceLabels,
        target_label: targetLabel,
      })),
    ],
  }));
}
