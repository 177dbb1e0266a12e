import type { KubeObject } from '../kube/types.ts';
import { controllerKeyOf } from '../runtime/object-key.ts';
import { trimMetadata } from '../runtime/trim-metadata.ts';
import { FIRST_PORT, LAST_PORT, MODEL_SERVICE, SLICE_NAME_SUFFIX } from './contract.ts';

/** What is read of an EndpointSlice. */
export interface EndpointSlice extends KubeObject {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
}

/** An EndpointSlice as the store keeps it. */
export interface GatewaySlice extends KubeObject {
  /** For which service to listen, and where; undefined: it is none of the operator's making. */
  readonly route: Route | undefined;
}

export interface Route {
  /** `namespace/name` of the ModelService. */
  readonly service: string;
  readonly port: number;
  /** Orders routes by age as the operator does, which moves the younger of two slices on one port. */
  readonly since: string;
}

export function toGatewaySlice(slice: EndpointSlice): GatewaySlice {
  return {
    apiVersion: slice.apiVersion,
    kind: slice.kind,
    metadata: trimMetadata(slice.metadata),
    route: routeOf(slice),
  };
}

/** A label is quickly set: only a slice that belongs to a ModelService and is named after it makes the gateway listen. */
function routeOf(slice: EndpointSlice): Route | undefined {
  const service = controllerKeyOf(slice, MODEL_SERVICE);
  const port = slice.ports?.find(({ name }) => name === 'http')?.port;
  const { namespace = '', name, creationTimestamp = '', uid } = slice.metadata;
  if (service === undefined || port === undefined || port < FIRST_PORT || port > LAST_PORT) return undefined;
  if (`${namespace}/${name}` !== `${service}${SLICE_NAME_SUFFIX}`) return undefined;
  return { service, port, since: `${creationTimestamp} ${uid}` };
}
