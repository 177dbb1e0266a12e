import type { ModelFormat, ServedModel } from '../model/served-model.ts';

/** Answers of `GET /v2`, `GET /v2/models/NAME` in the Open Inference Protocol. */

/** The names that the TensorFlow.js converter gives its output formats (`--output_format`). */
const PLATFORMS: Readonly<Record<ModelFormat, string>> = {
  LayersModel: 'tfjs_layers_model',
  GraphModel: 'tfjs_graph_model',
};

/** Body of `GET /v2`. */
export function serverMetadata(version: string): object {
  return { name: 'modelservice', version, extensions: [] };
}

/** Body of `GET /v2/models/NAME`; undefined while the model is not loaded, for only then its signature is known. */
export function modelMetadata(model: ServedModel): object | undefined {
  const loaded = model.loaded;
  if (loaded === undefined) return undefined;
  const notes = loaded.notes.length === 0 ? {} : { notes: loaded.notes.join('; ') };
  return {
    name: model.name,
    versions: [model.version],
    platform: PLATFORMS[loaded.format],
    inputs: loaded.inputs,
    outputs: loaded.outputs,
    parameters: {
      digest: loaded.digest,
      format: loaded.format,
      engine: loaded.engine,
      uri: model.uri,
      ...notes,
    },
  };
}
