import { POD } from '../../kube/resources.ts';
import type { Intent } from '../../kube/types.ts';
import { MANAGED_BY, SERVICE_NAME_LABEL, SLICE_MANAGED_BY_LABEL } from '../conventions.ts';
import type { EndpointSlice } from '../live-objects.ts';
import type { GatewayPod } from '../observed.ts';
import type { ModelService } from '../resource.ts';
import { childMetadata } from './child-metadata.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** The name of the slice of the service `name`. */
export function gatewaySliceName(name: string): string {
  return `${name}--gateway`;
}

/** The EndpointSlice through which the Service of `service` leads to those `pods` of the gateway. */
export function gatewaySliceOf(
  service: ModelService,
  addressType: AddressType,
  port: number,
  pods: readonly GatewayPod[],
): Intent {
  const { name } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: childMetadata(service, {
      name: gatewaySliceName(name),
      labels: { [SERVICE_NAME_LABEL]: name, [SLICE_MANAGED_BY_LABEL]: MANAGED_BY },
    }),
    addressType,
    ports: [{ name: 'http', port, protocol: 'TCP', appProtocol: 'http' }],
    endpoints: pods
      .filter(({ health }) => health !== undefined && addressTypeOf(health.ip) === addressType)
      .toSorted((a, b) => (a.metadata.uid < b.metadata.uid ? -1 : 1))
      .map(({ metadata: { name: pod, namespace, uid }, health }) => ({
        addresses: [health?.ip],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: POD.kind, namespace, name: pod, uid },
      })),
  };
}

/**
 * The type of the gateway's addresses, which a slice cannot change: where `live` has another one, it is made anew.
 * While no pod of the gateway runs, it is what it was.
 */
export function gatewayAddressType(pods: readonly GatewayPod[], live: EndpointSlice | undefined): AddressType {
  const ip = pods.find(({ health }) => health !== undefined)?.health?.ip;
  if (ip !== undefined) return addressTypeOf(ip);
  return live?.addressType === 'IPv6' ? 'IPv6' : 'IPv4';
}

function addressTypeOf(ip: string): AddressType {
  return ip.includes(':') ? 'IPv6' : 'IPv4';
}
