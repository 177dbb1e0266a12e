import type { Intent } from '../../kube/types.ts';
import { childLabels, NAME_LABEL } from '../conventions.ts';
import { type ModelService, ownerReferenceTo } from '../resource.ts';

/** The port of the Service: HTTP's own, so that URLs need none. */
const SERVICE_PORT = 80;

/** The Service of `service`. It selects by name alone, so that another track of pods can join. */
export function serviceOf(service: ModelService): Intent {
  const { name, namespace } = service.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: childLabels(name),
      ownerReferences: [ownerReferenceTo(service)],
    },
    spec: {
      selector: { [NAME_LABEL]: name },
      ports: [{ name: 'http', port: SERVICE_PORT, protocol: 'TCP', targetPort: 'http', appProtocol: 'http' }],
    },
  };
}

/** Where the Service answers inside the cluster. */
export function urlOf(service: ModelService): string {
  return `http://${service.metadata.name}.${service.metadata.namespace ?? 'default'}.svc`;
}
