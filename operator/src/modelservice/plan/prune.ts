import type { KubeObject, ResourceType } from '../../kube/types.ts';
import type { Child } from '../observed.ts';

/** A child that is ours to delete. */
export interface Prune {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

/** What to delete of a child that is not wanted: ours, and not on its way already. */
export function goner({ type, child }: { readonly type: ResourceType; readonly child: Child }): readonly Prune[] {
  return child.state === 'owned' && child.object.metadata.deletionTimestamp === undefined
    ? [{ type, object: child.object }]
    : [];
}
