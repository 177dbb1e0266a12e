import type { Datatype, TensorSpec } from '../engine/tensor.ts';
import type { ModelPhase, ServedModel } from '../model/served-model.ts';

/** Answers of `GET /v1/models/NAME` and `GET /v1/models/NAME/metadata`, as TensorFlow Serving gives them. */

const DTYPES: Readonly<Record<Datatype, string>> = { FP32: 'DT_FLOAT', INT32: 'DT_INT32', BOOL: 'DT_BOOL' };

/** States of tensorflow_serving/apis/get_model_status.proto. */
const STATES: Readonly<Record<ModelPhase, string>> = {
  Fetching: 'LOADING',
  Verifying: 'LOADING',
  Loading: 'LOADING',
  WarmingUp: 'LOADING',
  Ready: 'AVAILABLE',
  Failed: 'END',
};

/** Body of `GET /v1/models/NAME`. A model that an old content still serves is AVAILABLE. */
export function modelStatus(model: ServedModel): object {
  const serving = model.loaded !== undefined;
  const failure = serving ? undefined : model.failure;
  return {
    model_version_status: [
      {
        version: model.version,
        state: serving ? 'AVAILABLE' : STATES[model.phase],
        status:
          failure === undefined
            ? { error_code: 'OK', error_message: '' }
            : { error_code: 'UNKNOWN', error_message: `${failure.reason}: ${failure.message}` },
      },
    ],
  };
}

/** Body of `GET /v1/models/NAME/metadata`; undefined while the model is not loaded. */
export function signatureMetadata(model: ServedModel): object | undefined {
  const loaded = model.loaded;
  if (loaded === undefined) return undefined;
  return {
    model_spec: { name: model.name, signature_name: '', version: model.version },
    metadata: {
      signature_def: {
        signature_def: {
          serving_default: {
            inputs: tensorInfos(loaded.inputs),
            outputs: tensorInfos(loaded.outputs),
            method_name: 'tensorflow/serving/predict',
          },
        },
      },
    },
  };
}

function tensorInfos(specs: readonly TensorSpec[]): object {
  return Object.fromEntries(
    specs.map((spec) => [
      spec.name,
      {
        dtype: DTYPES[spec.datatype],
        // TensorFlow Serving prints its int64 sizes as strings.
        tensor_shape: { dim: spec.shape.map((size) => ({ size: String(size), name: '' })), unknown_rank: false },
        name: spec.name,
      },
    ]),
  );
}
