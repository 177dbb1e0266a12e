import { type CallablePod, readyAddress } from '../runtime/ready-address.ts';
import type { StoreReader } from '../runtime/store-reader.ts';
import { trimMetadata } from '../runtime/trim-metadata.ts';
import type { GatewayListeners } from './gateway-listeners.ts';
import type { GatewayPod, ObservedGateway } from './observed.ts';

/** Which port of the gateway's pods says what they listen for. */
const HEALTH_PORT = { container: 'gateway', port: 'health' } as const;

/** The gateway of this operator, where it has one. */
export interface Gateway {
  readonly pods: StoreReader<GatewayPod>;
  readonly listeners: GatewayListeners;
}

/** A pod as the store keeps it. */
export function toGatewayPod(pod: CallablePod): GatewayPod {
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: trimMetadata(pod.metadata),
    health: readyAddress(pod, HEALTH_PORT),
  };
}

export function observeGateway(key: string, gateway: Gateway | undefined): ObservedGateway | undefined {
  if (gateway === undefined) return undefined;
  return {
    pods: gateway.pods.list().filter(({ health }) => health !== undefined),
    listeners: gateway.listeners.answers(key),
  };
}
