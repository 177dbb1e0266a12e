import { GROUP, type Version, WINDOW_SECONDS } from './served-metrics.ts';

/** A metric of one object at one moment. */
export interface MeasuredObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The answer to a query: the two versions differ in a few names. */
export function metricValueList(version: Version, metric: string, objects: readonly MeasuredObject[]): object {
  return {
    kind: 'MetricValueList',
    apiVersion: `${GROUP}/${version}`,
    metadata: {},
    items: objects.map(({ value, at, ...describedObject }) => ({
      describedObject,
      ...(version === 'v1beta2'
        ? { metric: { name: metric, selector: null }, windowSeconds: WINDOW_SECONDS }
        : { metricName: metric, window: WINDOW_SECONDS, selector: null }),
      timestamp: new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'),
      value: quantity(value),
    })),
  };
}

/** In thousandths, as the autoscaler counts: `2`, `1500m`. */
export function quantity(value: number): string {
  const thousandths = Math.round(value * 1000);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}
