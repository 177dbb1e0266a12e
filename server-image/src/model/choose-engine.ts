import { ModelFailure } from '../failures.ts';
import type { EngineName } from './served-model.ts';

/**
 * The engines to try for a model, in order; equal in all pods of one image. What was asked for is never replaced. On
 * its own choice the server takes TensorFlow where this image has it, else Wasm, and the plain JavaScript backend,
 * which has every operation and is the slowest, where those lack one.
 *
 * @throws ModelFailure `GPUNotUsable` where a GPU and an engine that has none are asked for together
 */
export function engineCandidates(given: {
  readonly wanted: 'Auto' | EngineName;
  readonly hasTensorflow: boolean;
  readonly requireGPU: boolean;
}): readonly EngineName[] {
  const { wanted, hasTensorflow, requireGPU } = given;
  if (requireGPU) {
    if (wanted === 'Auto' || wanted === 'TensorFlow') return ['TensorFlow'];
    throw new ModelFailure(
      'GPUNotUsable',
      `A GPU was asked for and the engine ${wanted} uses none: set engine: TensorFlow, or ask for no GPU`,
    );
  }
  if (wanted !== 'Auto') return [wanted];
  return [hasTensorflow ? 'TensorFlow' : 'Wasm', 'JavaScript'];
}
