import type { Intent } from '../../kube/types.ts';
import { NAME_LABEL } from '../conventions.ts';
import type { ModelService } from '../resource.ts';
import { childMetadata } from './child-metadata.ts';

/** The port of the Service: HTTP's own, so that URLs need none. */
const SERVICE_PORT = 80;

/** The Service of `service`. It selects by name alone, so that another track of pods can join. */
export function serviceOf(service: ModelService): Intent {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(service),
    spec: {
      selector: { [NAME_LABEL]: service.metadata.name },
      ports: [{ name: 'http', port: SERVICE_PORT, protocol: 'TCP', targetPort: 'http', appProtocol: 'http' }],
    },
  };
}

/** Where the Service answers inside the cluster. */
export function urlOf(service: ModelService): string {
  return `http://${service.metadata.name}.${service.metadata.namespace ?? 'default'}.svc`;
}
