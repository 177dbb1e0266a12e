import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the gateway tells of itself. Only services that may go to zero have series of their own. */
export interface GatewayMetrics {
  /** @param code the status sent, or 499 where the client left before it got one */
  answered(service: string, code: number): void;
  /** @param result `forwarded`, `refused` (an answer of ours instead) or `left` (the client did) */
  held(result: 'forwarded' | 'refused' | 'left', seconds: number): void;
  wakeRequested(ok: boolean): void;
  /** The service may no longer go to zero: its series end. */
  forget(service: string): void;
}

/** From a warm WebAssembly model to a GPU node that has to be bought first. */
const BUCKETS_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

/** @param heldRequests how many requests are held at this moment */
export function gatewayMetrics(registry: Registry, heldRequests: () => number): GatewayMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'modelservice_gateway_requests_total',
    help: 'Requests taken in place of a service at zero, by the status sent; 499: the client left before it got one.',
    labelNames: ['namespace', 'service', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'modelservice_gateway_hold_duration_seconds',
    help: 'How long requests were held, by result: forwarded, refused or left (the client did).',
    labelNames: ['result'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const wakeRequests = new Counter({
    name: 'modelservice_gateway_wake_requests_total',
    help: 'Writes that ask for a service to be woken, by result: ok or failed.',
    labelNames: ['result'],
    registers,
  });
  for (const result of ['ok', 'failed']) wakeRequests.inc({ result }, 0);
  new Gauge({
    name: 'modelservice_gateway_held_requests',
    help: 'Requests held at this moment.',
    registers,
    collect() {
      this.set(heldRequests());
    },
  });
  const codes = new Map<string, Set<number>>();
  const labels = (key: string, code: number) => {
    const [namespace = '', service = ''] = key.split('/');
    return { namespace, service, code: String(code) };
  };
  return {
    answered(service, code) {
      codes.set(service, (codes.get(service) ?? new Set()).add(code));
      requests.inc(labels(service, code));
    },
    held: (result, seconds) => durations.observe({ result }, seconds),
    wakeRequested: (ok) => wakeRequests.inc({ result: ok ? 'ok' : 'failed' }),
    forget(service) {
      for (const code of codes.get(service) ?? []) requests.remove(labels(service, code));
      codes.delete(service);
    },
  };
}
