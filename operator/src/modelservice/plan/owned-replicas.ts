import { fieldsOf } from '../../kube/managed-fields.ts';
import { isObject } from '../../kube/same-value.ts';
import type { ManagedFieldsEntry } from '../../kube/types.ts';
import { REPLICAS_FIELD_MANAGER } from '../conventions.ts';
import type { Deployment } from '../live-objects.ts';

/** Whether the Deployment's size is as we applied it last: whoever changes it takes the field away from us. */
export function ownsReplicas(deployment: Deployment): boolean {
  return (deployment.metadata.managedFields ?? []).some(
    (entry) => entry.manager === REPLICAS_FIELD_MANAGER && entry.operation === 'Apply' && hasReplicas(entry),
  );
}

function hasReplicas(entry: ManagedFieldsEntry): boolean {
  const spec = fieldsOf(entry)['f:spec'];
  return isObject(spec) && 'f:replicas' in spec;
}
