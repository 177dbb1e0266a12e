import { z } from 'zod';
import { ModelFailure } from '../../failures.ts';
import { problemsOf } from '../../zod-problems.ts';
import { checkWeightsPath } from '../safe-path.ts';
import type { ModelFormat } from '../served-model.ts';

const WeightSpec = z.object({
  name: z.string(),
  shape: z.array(z.int().nonnegative()),
  dtype: z.string(),
  quantization: z.object({ dtype: z.string() }).optional(),
});
const ModelJson = z.object({
  format: z.string().nullish(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(WeightSpec) })).nullish(),
});
type WeightSpec = z.infer<typeof WeightSpec>;

/** A parsed model.json, as far as the server itself reads it. */
export interface ModelJsonFile {
  readonly json: object;
  readonly format: ModelFormat;
  /** Weights files in the manifest's order, each one once for each time that it is named. */
  readonly weightsPaths: readonly string[];
  /** Bytes that the weights must have in all; undefined where strings among them leave that open. */
  readonly weightsBytes: number | undefined;
}

/**
 * Parses and checks a model.json.
 *
 * @param what how the file is named in messages
 * @throws ModelFailure `InvalidModel`
 */
export function parseModelJson(text: string, what: string): ModelJsonFile {
  const value = parseJson(text, what);
  const parsed = ModelJson.safeParse(value);
  if (!parsed.success) {
    throw new ModelFailure(
      'InvalidModel',
      `${what} is no TensorFlow.js layers or graph model: ${problemsOf(parsed.error)}`,
    );
  }
  const { modelTopology, weightsManifest, format } = parsed.data;
  const found = findFormat(format ?? undefined, modelTopology);
  if (found === undefined) {
    throw new ModelFailure(
      'InvalidModel',
      `${what} is no TensorFlow.js layers or graph model: its modelTopology has neither layers nor nodes`,
    );
  }
  if (weightsManifest == null) {
    throw new ModelFailure(
      'InvalidModel',
      `${what} has no weightsManifest: save the model with its weights (model.save, or the tensorflowjs converter)`,
    );
  }
  return {
    json: value as object,
    format: found,
    weightsPaths: weightsManifest.flatMap(({ paths }) => paths.map(checkWeightsPath)),
    weightsBytes: totalBytes(weightsManifest.flatMap(({ weights }) => weights)),
  };
}

/** Parses a JSON file of a model. @throws ModelFailure `InvalidModel` */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelFailure('InvalidModel', `${what} is not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** By what the file says, and for older exporters that say nothing by the form of its topology. */
function findFormat(format: string | undefined, topology: Readonly<Record<string, unknown>>): ModelFormat | undefined {
  if (format === 'layers-model') return 'LayersModel';
  if (format === 'graph-model') return 'GraphModel';
  if (Array.isArray(topology.node)) return 'GraphModel';
  return 'model_config' in topology || 'class_name' in topology ? 'LayersModel' : undefined;
}

/** Bytes of one element on disk (tfjs-core io/types.ts, `DTYPE_VALUE_SIZE_MAP`). */
const BYTES: Readonly<Record<string, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  complex64: 8,
};

function totalBytes(weights: readonly WeightSpec[]): number | undefined {
  let total = 0;
  for (const { shape, dtype, quantization } of weights) {
    const bytes = BYTES[quantization?.dtype ?? dtype];
    if (bytes === undefined) return undefined;
    total += shape.reduce((product, size) => product * size, bytes);
  }
  return total;
}
