import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import type { Intent } from '../../../operator/src/kube/types.ts';
import { eventually } from './eventually.ts';
import { RESOURCES } from './resource-types.ts';
import type { TestApi } from './test-api.ts';

const CRD = new URL('../../../crds/modelservice.yaml', import.meta.url);

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** Makes the API server serve ModelService, from `crds/modelservice.yaml`. */
export async function installCustomResource(api: TestApi): Promise<void> {
  const definition = load(await readFile(CRD, 'utf8')) as Intent;
  await api.apply(RESOURCES.customResourceDefinitions, definition);
  await eventually(() => api.get(RESOURCES.customResourceDefinitions, definition.metadata), {
    because: `${definition.metadata.name} is established`,
    until: ({ status }) =>
      ((status?.conditions ?? []) as readonly Condition[]).some(
        ({ type, status: value }) => type === 'Established' && value === 'True',
      ),
  });
  // Established comes a moment before the API server serves the type.
  await eventually(() => api.list(RESOURCES.modelServices), { because: 'the API server serves ModelService' });
}
