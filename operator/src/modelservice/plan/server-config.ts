import { parseQuantity } from '../../kube/quantity.ts';
import { durationMs } from '../../runtime/duration.ts';
import { modelNameOf } from '../resource.ts';
import type { Batching, ServerConfig } from '../server-config.generated.ts';
import type { BatchingSpec } from '../types.generated.ts';
import { canonicalJson } from './canonical-json.ts';
import type { TemplateSource } from './template-inputs.ts';

/** Where fetched models lie in the pod: an emptyDir. */
export const CACHE_DIR = '/var/cache/modelservice';

/** The list of one model that the pods of `service` serve. */
export function serverConfigOf(service: TemplateSource): ServerConfig {
  const { model, server, gpu, batching, availability } = service.spec;
  const cpuLimit = server.resources.limits?.cpu;
  return {
    version: 1,
    server: {
      logLevel: server.logLevel,
      drainTimeoutMs: durationMs(availability.drainTimeout),
      cacheDir: CACHE_DIR,
      // Left alone, TensorFlow starts a thread for each of the node's CPUs and is throttled by the limit.
      ...(cpuLimit === undefined ? {} : { engineThreads: engineThreadsOf(cpuLimit) }),
      ...(gpu === undefined ? {} : { requireGPU: true }),
    },
    models: [
      {
        name: modelNameOf(service),
        version: model.version,
        uri: model.uri,
        ...(model.digest === undefined ? {} : { digest: model.digest }),
        format: model.format,
        engine: gpu === undefined ? server.engine : 'TensorFlow',
        ...(batching === undefined ? {} : { batching: batchingOf(batching) }),
      },
    ],
  };
}

function batchingOf({ maxBatchSize, maxDelay, maxQueueSize }: BatchingSpec): Batching {
  return { maxBatchSize, maxDelayMs: durationMs(maxDelay), maxQueueSize };
}

/** The config as text that depends on nothing but its content: a change of it rolls the pods. */
export function serverConfigText(config: ServerConfig): string {
  return canonicalJson(config);
}

const NANO = 1_000_000_000n;

/** Whole threads: a limit of 1500m is two. */
function engineThreadsOf(cpuLimit: string | number): number {
  const nano = parseQuantity(String(cpuLimit)) ?? 0n;
  const cpus = Number((nano + NANO - 1n) / NANO);
  return Math.min(1024, Math.max(1, cpus));
}
