import type { InferenceError } from '../failures.ts';
import type { Part } from './pending-request.ts';

/**
 * What to run of a batch that failed, in its place. By halves few runs find one culprit; but where it ends the engine,
 * each of them would end it again, and an engine that keeps ending takes the process with it: so there each request gets
 * one run of its own, in which the culprit ends the engine once more and nobody else is with it.
 */
export function piecesToRetry(parts: readonly Part[], { code }: InferenceError): readonly (readonly Part[])[] {
  if (parts.length === 1) return [];
  if (code === 'EngineBroken' || code === 'EngineRestarted') return parts.map((part) => [part]);
  if (code !== 'Failed') return [];
  const middle = Math.ceil(parts.length / 2);
  return [parts.slice(0, middle), parts.slice(middle)];
}
