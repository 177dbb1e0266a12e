import { after, before } from 'mocha';
import { eventually } from './eventually.ts';
import { RESOURCES } from './resource-types.ts';
import { testRun } from './test-run.ts';

/** Marks what a run made in a cluster that it shares with others. */
export const RUN_LABEL = 'modelservice.dev/test-run';

/** A new namespace with a generated name; ready for pods, that is with its default service account. */
export async function createNamespace(prefix: string): Promise<string> {
  const { api, id } = testRun();
  const namespace = await api.create(RESOURCES.namespaces, {
    metadata: { generateName: `test-${prefix}-`, labels: { [RUN_LABEL]: id } },
  });
  const { name } = namespace.metadata;
  await eventually(() => api.get(RESOURCES.serviceAccounts, { namespace: name, name: 'default' }), {
    because: `namespace ${name} has its default service account`,
  });
  return name;
}

/** Begins to delete a namespace; the end of the run waits for it where the cluster outlives the run. */
export async function deleteNamespace(name: string): Promise<void> {
  await testRun().api.delete(RESOURCES.namespaces, { name });
}

/**
 * Gives the suite that calls it a namespace of its own, from `before` to `after`.
 *
 * @returns its name, for hooks and tests to ask once they run
 */
export function useNamespace(prefix: string): () => string {
  let name: string | undefined;
  before(async () => {
    name = await createNamespace(prefix);
  });
  after(async () => {
    if (name !== undefined) await deleteNamespace(name);
  });
  return () => {
    if (name === undefined)
      throw new Error('The namespace exists from the suite\'s "before" hook on; ask for it later.');
    return name;
  };
}

/** Waits until nothing of this run is left in the cluster. */
export async function awaitNamespacesGone(): Promise<void> {
  const { api, id } = testRun();
  await eventually(() => api.list(RESOURCES.namespaces, { labelSelector: `${RUN_LABEL}=${id}` }), {
    because: 'the namespaces of this run are gone',
    until: (namespaces) => namespaces.length === 0,
    deadlineMs: 120_000,
    intervalMs: 500,
  });
}
