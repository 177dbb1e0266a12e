import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import type { PodDiscovery } from './pod-discovery.ts';

/** The scrape config in docs/request-scaling.md, told of pods in the way that this Prometheus can be. */
export async function documentedJob({ sdConfig }: PodDiscovery): Promise<object> {
  const text = await readFile(new URL('../../../docs/request-scaling.md', import.meta.url), 'utf8');
  const block = /```yaml\n(scrape_configs:.*?)```/s.exec(text)?.[1] ?? '';
  const { scrape_configs: jobs } = load(block) as { readonly scrape_configs: readonly Record<string, unknown>[] };
  const { kubernetes_sd_configs: discovery, ...job } = jobs[0] ?? {};
  assert.deepEqual(discovery, [{ role: 'pod' }]);
  return { ...job, ...sdConfig };
}
