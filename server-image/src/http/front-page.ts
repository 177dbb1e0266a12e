import type { TensorSpec } from '../engine/tensor.ts';
import type { ServedModel } from '../model/served-model.ts';
import { elementCount } from '../protocol/signature.ts';

/** An example with more values than this is left to a file. */
const MAX_EXAMPLE_VALUES = 16;

/**
 * What `GET /` shows to a person: each model, what it takes and gives, and a command to try.
 *
 * @param host as the client named it, for the command
 */
export function frontPage(models: readonly ServedModel[], host: string): string {
  const parts = models.map((model) => describe(model, host));
  if (parts.length === 0) parts.push('No models are configured.\n');
  return `${parts.join('\n')}\nHealth: GET /v2/health/ready   Metadata: GET /v2/models/NAME\n`;
}

function describe(model: ServedModel, host: string): string {
  const head = `${model.name} (version ${model.version})`;
  const { loaded } = model;
  if (loaded === undefined) {
    return `${head}: ${model.failure === undefined ? model.phase : `${model.failure.reason}: ${model.failure.message}`}\n`;
  }
  const url = `http://${host}/v2/models/${encodeURIComponent(model.name)}/infer`;
  return [
    `${head}: ready, ${loaded.format} on ${loaded.engine}`,
    `  takes ${loaded.inputs.map(specText).join(', ')}`,
    `  gives ${loaded.outputs.map(specText).join(', ')}`,
    `  curl ${url} -d ${exampleBody(loaded.inputs)}`,
    '',
  ].join('\n');
}

function specText(spec: TensorSpec): string {
  return `${spec.name} ${spec.datatype} [${spec.shape.join(',')}]`;
}

function exampleBody(specs: readonly TensorSpec[]): string {
  const shapes = specs.map((spec) => spec.shape.map((size) => (size === -1 ? 1 : size)));
  if (shapes.reduce((total, shape) => total + elementCount(shape), 0) > MAX_EXAMPLE_VALUES) return '@request.json';
  const inputs = specs.map((spec, index) => {
    const shape = shapes[index] ?? [];
    const data = Array(elementCount(shape)).fill(spec.datatype === 'BOOL' ? false : 1);
    return { name: spec.name, shape, datatype: spec.datatype, data };
  });
  return `'${JSON.stringify({ inputs }).replaceAll("'", "'\\''")}'`;
}
