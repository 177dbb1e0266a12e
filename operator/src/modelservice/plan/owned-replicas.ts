import { REPLICAS_FIELD_MANAGER } from '../conventions.ts';
import type { Deployment } from '../live-objects.ts';

/** Whether the Deployment's size is as we applied it last: whoever changes it takes the field away from us. */
export function ownsReplicas(deployment: Deployment): boolean {
  return (deployment.metadata.managedFields ?? []).some(
    (entry) => entry.manager === REPLICAS_FIELD_MANAGER && entry.operation === 'Apply' && hasReplicas(entry.fieldsV1),
  );
}

function hasReplicas(fields: unknown): boolean {
  if (typeof fields !== 'object' || fields === null || !('f:spec' in fields)) return false;
  const spec = fields['f:spec'];
  return typeof spec === 'object' && spec !== null && 'f:replicas' in spec;
}
