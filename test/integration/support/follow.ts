import type { KubeClient } from '../../../operator/src/kube/kube-client.ts';
import type { KubeObject, ResourceType } from '../../../operator/src/kube/types.ts';

/** Calls `seen` with each object of a namespace, as it is and whenever it changes, until `signal` aborts. */
export async function follow<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  namespace: string,
  seen: (object: T) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { items, resourceVersion } = await client.list<T>(type, { namespace }, signal);
    items.forEach(seen);
    const watch = { namespace, resourceVersion, timeoutSeconds: 3600 };
    for await (const event of client.watch<T>(type, watch, signal)) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED') seen(event.object);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
