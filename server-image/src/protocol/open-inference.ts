/**
 * The Open Inference Protocol v2, REST form, as pure functions: bodies in, tensors out, and back.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * Nothing here knows of HTTP, so another transport can carry the same messages.
 */
import type { Tensor, TensorSpec } from '../engine/tensor.ts';
import { InvalidRequest, isObject, own, quote } from './invalid-request.ts';
import { datatypeProblem, elementCount, namesOf, type Signature, shapeFits } from './signature.ts';
import { below, decodeTensor } from './tensor-decode.ts';
import { flatJson } from './tensor-encode.ts';

/** An infer request that fits its model. */
export interface InferRequest {
  /** Echoed in the answer; undefined when the client sent none. */
  readonly id: string | undefined;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Names of the outputs wanted, in the order wanted: all of the model's when the client chose none. */
  readonly outputs: readonly string[];
}

/**
 * Reads an infer request for a model. Unknown fields and `parameters` are accepted and have no effect.
 *
 * @param maxElements what the body can hold at most
 * @throws InvalidRequest
 */
export function parseInferRequest(body: unknown, model: Signature, maxElements: number): InferRequest {
  if (!isObject(body)) throw new InvalidRequest('body', `is ${quote(body)}, but an object with "inputs" is needed`);
  const id = own(body, 'id');
  if (id !== undefined && typeof id !== 'string') {
    throw new InvalidRequest('id', `is ${quote(id)}, but a string is needed`);
  }
  refuseBinary(checkParameters(body, 'parameters'), 'binary_data_output', 'parameters');
  return {
    id,
    inputs: parseInputs(own(body, 'inputs'), model, maxElements),
    outputs: parseOutputs(own(body, 'outputs'), model),
  };
}

/** The answer's body as JSON text; `outputs` in the order of the answer. */
export function inferResponse(model: Signature, id: string | undefined, outputs: ReadonlyMap<string, Tensor>): string {
  const tensors = Array.from(
    outputs,
    ([name, tensor]) =>
      `{"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}],"data":${flatJson(tensor)}}`,
  );
  const echoed = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const names = `"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)}`;
  return `{${names},${echoed}"outputs":[${tensors.join(',')}]}`;
}

function parseInputs(value: unknown, model: Signature, maxElements: number): ReadonlyMap<string, Tensor> {
  if (!Array.isArray(value)) {
    throw new InvalidRequest('inputs', `is ${quote(value)}, but an array with one tensor for each input is needed`);
  }
  const tensors = new Map<string, Tensor>();
  value.forEach((input: unknown, index) => {
    const field = `inputs[${index}]`;
    if (!isObject(input)) throw new InvalidRequest(field, `is ${quote(input)}, but an object is needed`);
    const spec = findSpec(own(input, 'name'), model.inputs, `${field}.name`, 'input', model.name);
    if (tensors.has(spec.name)) throw new InvalidRequest(`${field}.name`, `"${spec.name}" is given twice`);
    tensors.set(spec.name, parseInput(input, spec, field, maxElements));
  });
  const missing = model.inputs.filter((spec) => !tensors.has(spec.name));
  if (missing.length > 0) {
    throw new InvalidRequest(
      'inputs',
      `lacks ${namesOf(missing)}; model "${model.name}" takes ${namesOf(model.inputs)}`,
    );
  }
  return tensors;
}

function parseInput(
  input: Readonly<Record<string, unknown>>,
  spec: TensorSpec,
  field: string,
  maxElements: number,
): Tensor {
  const datatype = own(input, 'datatype');
  const problem = datatypeProblem(datatype, spec.datatype);
  if (problem !== undefined) {
    throw new InvalidRequest(
      `${field}.datatype`,
      datatype === undefined ? `is missing; send "${spec.datatype}"` : problem,
    );
  }
  refuseBinary(checkParameters(input, `${field}.parameters`), 'binary_data_size', `${field}.parameters`);
  const shape = parseShape(own(input, 'shape'), spec, `${field}.shape`);
  const data = own(input, 'data');
  if (data === undefined) {
    throw new InvalidRequest(
      `${field}.data`,
      `is missing; send ${elementCount(shape)} values, flat or nested by shape`,
    );
  }
  return decodeTensor(spec.datatype, shape, data, maxElements, below(`${field}.data`));
}

function parseShape(value: unknown, spec: TensorSpec, field: string): readonly number[] {
  const wanted = `input "${spec.name}" takes [${spec.shape.join(',')}]${spec.shape.includes(-1) ? ', where -1 is any size' : ''}`;
  if (!Array.isArray(value)) throw new InvalidRequest(field, `is ${quote(value)}, but an array is needed; ${wanted}`);
  const shape: number[] = [];
  value.forEach((size: unknown, axis) => {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1) {
      throw new InvalidRequest(
        `${field}[${axis}]`,
        `is ${quote(size)}, but a whole number from 1 is needed; ${wanted}`,
      );
    }
    shape.push(size);
  });
  if (!shapeFits(shape, spec)) throw new InvalidRequest(field, `is [${shape.join(',')}], but ${wanted}`);
  return shape;
}

function parseOutputs(value: unknown, model: Signature): readonly string[] {
  const all = model.outputs.map((spec) => spec.name);
  if (value === undefined) return all;
  if (!Array.isArray(value)) {
    throw new InvalidRequest('outputs', `is ${quote(value)}, but an array of {"name": …} is needed`);
  }
  if (value.length === 0) return all;
  const names = value.map((output: unknown, index) => {
    const field = `outputs[${index}]`;
    if (!isObject(output)) throw new InvalidRequest(field, `is ${quote(output)}, but an object is needed`);
    refuseBinary(checkParameters(output, `${field}.parameters`), 'binary_data', `${field}.parameters`);
    return findSpec(own(output, 'name'), model.outputs, `${field}.name`, 'output', model.name).name;
  });
  const twice = names.findIndex((name, index) => names.indexOf(name) !== index);
  if (twice !== -1) throw new InvalidRequest(`outputs[${twice}].name`, `"${names[twice]}" is asked for twice`);
  return names;
}

function findSpec(
  name: unknown,
  specs: readonly TensorSpec[],
  field: string,
  kind: 'input' | 'output',
  model: string,
): TensorSpec {
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec !== undefined) return spec;
  const verb = kind === 'input' ? 'takes' : 'gives';
  throw new InvalidRequest(field, `${quote(name)} is no ${kind} of model "${model}", which ${verb} ${namesOf(specs)}`);
}

function checkParameters(
  holder: Readonly<Record<string, unknown>>,
  field: string,
): Readonly<Record<string, unknown>> | undefined {
  const parameters = own(holder, 'parameters');
  if (parameters === undefined) return undefined;
  if (!isObject(parameters)) throw new InvalidRequest(field, `is ${quote(parameters)}, but an object is needed`);
  return parameters;
}

/** The binary tensor extension is asked for by parameters, and a client that asks would misread an answer in JSON. */
function refuseBinary(parameters: Readonly<Record<string, unknown>> | undefined, name: string, field: string): void {
  const value = parameters === undefined ? undefined : own(parameters, name);
  if (value === undefined || value === false) return;
  throw new InvalidRequest(`${field}.${name}`, 'the binary tensor extension is not served; leave it out and use JSON');
}
