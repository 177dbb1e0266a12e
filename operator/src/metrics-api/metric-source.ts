import type { Sample } from '../runtime/exposition.ts';
import type { ServerPod } from './server-pod.ts';

/** What is known of a pod. */
export interface Reading {
  /** Milliseconds since the epoch: when it was so. */
  readonly at: number;
  readonly samples: readonly Sample[];
}

/**
 * Where values come from: the pods themselves, or a Prometheus server that scrapes them. Answers for each of `pods`, in
 * their order; undefined where a pod is not ready or nothing recent is known of it.
 *
 * @param pods all of one namespace
 * @throws {SourceUnavailableError}
 */
export type ReadMetric = (pods: readonly ServerPod[], metric: string) => Promise<readonly (Reading | undefined)[]>;

/** Nothing can be said of any pod at present: an error for who asks, so that the size stays as it is. */
export class SourceUnavailableError extends Error {
  override readonly name = 'SourceUnavailableError';
}
