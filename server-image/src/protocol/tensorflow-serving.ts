import type { Tensor, TensorSpec } from '../engine/tensor.ts';
import { InvalidRequest, isObject, own, quote } from './invalid-request.ts';
import { namesOf, type Signature, shapeFits } from './signature.ts';
import { decodeTensor, type Locate, shapeOfNested } from './tensor-decode.ts';
import { nestedJson, rowsJson } from './tensor-encode.ts';

/**
 * TensorFlow Serving's v1 predict, REST form, as pure functions.
 * https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md
 */

/** A predict request that fits its model. */
export interface PredictRequest {
  /** `row`: the client sent `instances` and gets `predictions`; `column`: `inputs` and `outputs`. */
  readonly form: 'row' | 'column';
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/**
 * Reads a predict request for a model.
 *
 * @param maxElements what the body can hold at most
 * @throws InvalidRequest
 */
export function parsePredictRequest(body: unknown, model: Signature, maxElements: number): PredictRequest {
  if (!isObject(body)) {
    throw new InvalidRequest('body', `is ${quote(body)}, but an object with "instances" or "inputs" is needed`);
  }
  const signature = own(body, 'signature_name');
  if (signature !== undefined && signature !== '' && signature !== 'serving_default') {
    throw new InvalidRequest('signature_name', `is ${quote(signature)}, but only "serving_default" is served`);
  }
  const instances = own(body, 'instances');
  const inputs = own(body, 'inputs');
  if ((instances === undefined) === (inputs === undefined)) {
    const found = instances === undefined ? 'holds neither "instances" nor "inputs"' : 'holds "instances" and "inputs"';
    throw new InvalidRequest(
      'body',
      `${found}; send "instances" (a list of rows) or "inputs" (a tensor for each input)`,
    );
  }
  return instances === undefined
    ? { form: 'column', inputs: parseColumns(inputs, model, maxElements) }
    : { form: 'row', inputs: parseRows(instances, model, maxElements) };
}

/**
 * The answer's body as JSON text. A model with one output answers its bare values, one with more an object by name.
 *
 * @throws InvalidRequest when rows were sent and an output does not have one row for each of them
 */
export function predictResponse(request: PredictRequest, outputs: ReadonlyMap<string, Tensor>): string {
  return request.form === 'column' ? columnResponse(outputs) : rowResponse(request, outputs);
}

function columnResponse(outputs: ReadonlyMap<string, Tensor>): string {
  const values = Array.from(outputs, ([name, tensor]) => ({ name, json: nestedJson(tensor) }));
  const only = values.length === 1 ? values[0] : undefined;
  if (only !== undefined) return `{"outputs":${only.json}}`;
  return `{"outputs":{${values.map(({ name, json }) => `${JSON.stringify(name)}:${json}`).join(',')}}}`;
}

function rowResponse(request: PredictRequest, outputs: ReadonlyMap<string, Tensor>): string {
  const count = request.inputs.values().next().value?.shape[0] ?? 0;
  for (const [name, tensor] of outputs) {
    if (tensor.shape[0] !== count) {
      throw new InvalidRequest(
        'instances',
        `output "${name}" has shape [${tensor.shape.join(',')}], not one row for each of the ${count} instances; send "inputs" instead`,
      );
    }
  }
  const columns = Array.from(outputs, ([name, tensor]) => ({ key: JSON.stringify(name), rows: rowsJson(tensor) }));
  const only = columns.length === 1 ? columns[0] : undefined;
  if (only !== undefined) return `{"predictions":[${only.rows.join(',')}]}`;
  const rows = Array.from({ length: count }, (_, row) => {
    return `{${columns.map(({ key, rows }) => `${key}:${rows[row] ?? 'null'}`).join(',')}}`;
  });
  return `{"predictions":[${rows.join(',')}]}`;
}

function parseRows(value: unknown, model: Signature, maxElements: number): ReadonlyMap<string, Tensor> {
  if (!Array.isArray(value) || value.length === 0) {
    throw new InvalidRequest('instances', `is ${quote(value)}, but a list of at least one row is needed`);
  }
  const only = model.inputs.length === 1 ? model.inputs[0] : undefined;
  if (only !== undefined && !isObject(value[0])) {
    return new Map([[only.name, decodeColumn(only, value, maxElements, rowLocator('instances', ''))]]);
  }
  const rows = value.map((row: unknown, index) => checkNames(row, model, `instances[${index}]`));
  return new Map(
    model.inputs.map((spec) => {
      const column = rows.map((row) => own(row, spec.name));
      return [spec.name, decodeColumn(spec, column, maxElements, rowLocator('instances', `.${spec.name}`))];
    }),
  );
}

function parseColumns(value: unknown, model: Signature, maxElements: number): ReadonlyMap<string, Tensor> {
  const only = model.inputs.length === 1 ? model.inputs[0] : undefined;
  if (only !== undefined && !isObject(value)) {
    return new Map([[only.name, decodeColumn(only, value, maxElements, rowLocator('inputs', ''))]]);
  }
  const columns = checkNames(value, model, 'inputs');
  return new Map(
    model.inputs.map((spec) => {
      const locate = rowLocator(`inputs.${spec.name}`, '');
      return [spec.name, decodeColumn(spec, own(columns, spec.name), maxElements, locate)];
    }),
  );
}

/** Where an element stands: `instances[0].x[1]`, the input's name behind the first index. */
function rowLocator(field: string, name: string): Locate {
  return ([first, ...rest]) => {
    const row = first === undefined ? '' : `[${first}]${name}`;
    return field + row + rest.map((index) => `[${index}]`).join('');
  };
}

function checkNames(value: unknown, model: Signature, field: string): Readonly<Record<string, unknown>> {
  const wanted = `model "${model.name}" takes ${namesOf(model.inputs)}`;
  if (!isObject(value)) {
    throw new InvalidRequest(field, `is ${quote(value)}, but an object with each input by name is needed; ${wanted}`);
  }
  if (Object.hasOwn(value, 'b64')) {
    throw new InvalidRequest(field, `{"b64": …} is a BYTES value, which this server does not support; ${wanted}`);
  }
  const unknown = Object.keys(value).find((name) => !model.inputs.some((spec) => spec.name === name));
  if (unknown !== undefined) throw new InvalidRequest(`${field}.${unknown}`, `is no input; ${wanted}`);
  const missing = model.inputs.find((spec) => !Object.hasOwn(value, spec.name));
  if (missing !== undefined) throw new InvalidRequest(`${field}.${missing.name}`, `is missing; ${wanted}`);
  return value;
}

function decodeColumn(spec: TensorSpec, value: unknown, maxElements: number, locate: Locate): Tensor {
  const shape = shapeOfNested(value, spec.shape.length);
  if (!shapeFits(shape, spec) || shape.includes(0)) {
    const found = shape.length === 0 ? quote(value) : `nested as [${shape.join(',')}]`;
    throw new InvalidRequest(
      locate([]),
      `is ${found}, but input "${spec.name}" takes [${spec.shape.join(',')}]${spec.shape.includes(-1) ? ', where -1 is any size' : ''}`,
    );
  }
  return decodeTensor(spec.datatype, shape, value, maxElements, locate);
}
