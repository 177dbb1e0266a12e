import type { KubeApi, KubeList, ListOptions } from '../kube/api.ts';
import { isGone } from '../kube/errors.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';

/**
 * Lists page by page, of one moment. Where the pages take longer than the server keeps that moment (410), it lists once
 * more in one piece, as client-go's pager does.
 */
export async function listAll<T extends KubeObject>(
  api: KubeApi,
  type: ResourceType,
  scope: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
  pageSize: number,
  signal: AbortSignal,
): Promise<KubeList<T>> {
  const items: T[] = [];
  let page = await api.list<T>(type, { ...scope, limit: pageSize }, signal);
  items.push(...page.items);
  while (page.continue !== undefined) {
    try {
      page = await api.list<T>(type, { ...scope, limit: pageSize, continue: page.continue }, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
      return await api.list<T>(type, scope, signal);
    }
    items.push(...page.items);
  }
  return { resourceVersion: page.resourceVersion, items };
}
