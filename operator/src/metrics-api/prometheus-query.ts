import { z } from 'zod';
import type { Sample } from '../runtime/exposition.ts';
import type { Reading } from './metric-source.ts';

/** Labels by which a pod's series are found, as every scrape config for pods sets them. */
const NAMESPACE_LABEL = 'namespace';
const POD_LABEL = 'pod';
/** Labels that the server itself gives. Series that differ in others alone are the same, scraped twice. */
const OWN_LABELS = ['model', 'version'];
/** Tells the two halves of the answer apart. */
const PART_LABEL = 'modelservice_part';

/** The `data` of an instant query whose result is a vector: seconds of the evaluation, and the value as text. */
export const vectorSchema = z.object({
  resultType: z.literal('vector'),
  result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
});

export type Vector = z.output<typeof vectorSchema>['result'];

/**
 * One instant query for the values of a metric of pods and for the moments at which they were scraped: Prometheus
 * itself goes on telling a value for 5 minutes, with the time of the question.
 */
export function expressionFor(metric: string, namespace: string, podNames: readonly string[]): string {
  const pods = podNames.toSorted().map(quotedForRegex).join('|');
  const series = `${metric}{${NAMESPACE_LABEL}=${quoted(namespace)},${POD_LABEL}=~${quoted(pods)}}`;
  return `${marked(series, 'value')} or ${marked(`timestamp(${series})`, 'at')}`;
}

/** Readings by the pod's name, without what was scraped more than `maxAgeMs` before the evaluation. */
export function readingsIn(vector: Vector, metric: string, maxAgeMs: number): ReadonlyMap<string, Reading> {
  const values = new Map<string, number>();
  for (const { metric: labels, value } of vector) {
    if (labels[PART_LABEL] === 'value') values.set(identity(labels), Number(value[1]));
  }
  const freshest = new Map<string, Sample & { readonly pod: string; readonly at: number }>();
  for (const { metric: labels, value } of vector) {
    const { [POD_LABEL]: pod } = labels;
    if (labels[PART_LABEL] !== 'at' || pod === undefined) continue;
    const [evaluatedSeconds, text] = value;
    const at = Number(text) * 1000;
    const number = values.get(identity(labels));
    if (number === undefined || !Number.isFinite(number) || evaluatedSeconds * 1000 - at > maxAgeMs) continue;
    const key = JSON.stringify([pod, ...OWN_LABELS.map((label) => labels[label])]);
    const known = freshest.get(key);
    if (known === undefined || known.at < at) freshest.set(key, { metric, labels, value: number, pod, at });
  }
  const readings = new Map<string, Reading>();
  for (const { pod, at, ...sample } of freshest.values()) {
    const { at: others = at, samples = [] } = readings.get(pod) ?? {};
    readings.set(pod, { at: Math.min(at, others), samples: [...samples, sample] });
  }
  return readings;
}

/** The same for a value and for its moment. */
function identity(labels: Readonly<Record<string, string>>): string {
  const { __name__: _, [PART_LABEL]: __, ...rest } = labels;
  return JSON.stringify(Object.entries(rest).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function marked(vector: string, part: 'value' | 'at'): string {
  return `label_replace(${vector},"${PART_LABEL}","${part}","${POD_LABEL}",".*")`;
}

/** A string of PromQL, which takes the escapes of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Matches `text` alone in RE2, whose patterns for labels are anchored. */
function quotedForRegex(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
