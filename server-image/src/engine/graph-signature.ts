import { z } from 'zod';
import { problemsOf } from '../zod-problems.ts';
import { InvalidModelError } from './engine-errors.ts';

/** A tensor that a graph takes or gives. */
export interface GraphTensor {
  /** The name that clients use. */
  readonly name: string;
  /** The graph's node, with the index of its output, for example `Identity_1:0`. */
  readonly node: string;
  /** TensorFlow.js's name of the dtype. */
  readonly dtype: string;
  /** -1 is a dimension that the request chooses. */
  readonly shape: readonly number[];
}

/** What a loaded graph says of itself where model.json has no signature; see tfjs-converter's GraphModel. */
export interface GraphSelf {
  readonly inputs: readonly GraphNode[];
  readonly outputs: readonly GraphNode[];
}

interface GraphNode {
  readonly name: string;
  readonly shape?: readonly number[] | undefined;
  readonly dtype: string;
}

const TensorInfo = z.object({
  name: z.string(),
  dtype: z.union([z.string(), z.number()]).optional(),
  tensorShape: z
    .object({
      dim: z.array(z.object({ size: z.union([z.string(), z.number()]).optional() })).optional(),
      unknownRank: z.boolean().optional(),
    })
    .optional(),
});
const Signature = z.object({
  inputs: z.record(z.string(), TensorInfo).optional(),
  outputs: z.record(z.string(), TensorInfo).optional(),
});
type TensorInfo = z.infer<typeof TensorInfo>;

/**
 * TensorFlow's datatypes as TensorFlow.js holds them (tfjs-converter operation_mapper.ts, `parseDtypeParam`), under
 * their names and numbers in types.proto.
 */
const DTYPES: Readonly<Record<string, string>> = {
  DT_FLOAT: 'float32',
  DT_HALF: 'float32',
  DT_DOUBLE: 'float32',
  DT_INT32: 'int32',
  DT_INT64: 'int32',
  DT_INT8: 'int32',
  DT_UINT8: 'int32',
  DT_BOOL: 'bool',
  1: 'float32',
  2: 'float32',
  3: 'int32',
  4: 'int32',
  6: 'int32',
  9: 'int32',
  10: 'bool',
  19: 'float32',
};

/**
 * What a graph model takes and gives: by the signature in model.json, and where it has none by the graph's own nodes.
 *
 * @throws InvalidModelError for an input without a known rank: no request could be checked against it
 */
export function graphTensors(json: object, graph: GraphSelf): { inputs: GraphTensor[]; outputs: GraphTensor[] } {
  const { signature } = json as { readonly signature?: unknown };
  const parsed = Signature.safeParse(signature ?? {});
  if (!parsed.success) {
    throw new InvalidModelError(`The signature in model.json is not valid: ${problemsOf(parsed.error)}`);
  }
  const inputs = merge(parsed.data.inputs, graph.inputs);
  const outputs = merge(parsed.data.outputs, graph.outputs);
  const unranked = inputs.find(({ shape }) => shape === undefined);
  if (unranked !== undefined) {
    throw new InvalidModelError(
      `The graph says nothing of the shape of its input "${unranked.name}": convert the model again with a signature that gives it`,
    );
  }
  return { inputs: inputs.map(withShape), outputs: outputs.map(withShape) };
}

type Unranked = Omit<GraphTensor, 'shape'> & { readonly shape: readonly number[] | undefined };

function merge(signature: Readonly<Record<string, TensorInfo>> | undefined, nodes: readonly GraphNode[]): Unranked[] {
  const entries = Object.entries(signature ?? {});
  if (entries.length === 0) {
    return nodes.map(({ name, shape, dtype }) => ({ name, node: name, dtype: dtype ?? 'float32', shape }));
  }
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return entries.map(([name, info]) => {
    const node = byName.get(info.name.replace(/:\d+$/, ''));
    return {
      name,
      node: info.name,
      dtype:
        (info.dtype === undefined ? undefined : (DTYPES[info.dtype] ?? String(info.dtype))) ?? node?.dtype ?? 'float32',
      shape: shapeOf(info) ?? node?.shape,
    };
  });
}

function shapeOf({ tensorShape }: TensorInfo): number[] | undefined {
  // A shape without dimensions is a scalar's, or one that the exporter did not know: only the graph can tell.
  if (tensorShape?.dim === undefined || tensorShape.unknownRank === true) return undefined;
  return tensorShape.dim.map(({ size }) => Number(size ?? -1));
}

/** The shape of an output is a hint; one that nobody knows is replaced after the warm-up. */
function withShape(tensor: Unranked): GraphTensor {
  return { ...tensor, shape: tensor.shape ?? [] };
}

/** The operations that tfjs-converter 4.22 refuses outside `executeAsync` (graph_executor.ts, model_analysis.ts). */
const DYNAMIC = new Set([
  ...['Switch', 'Merge', 'Enter', 'Exit', 'NextIteration', 'StatelessIf', 'StatelessWhile', 'If', 'if', 'While'],
  ...['NonMaxSuppressionV2', 'NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5', 'Where'],
  ...['HashTable', 'HashTableV2', 'LookupTableImport', 'LookupTableImportV2'],
  ...['LookupTableFind', 'LookupTableFindV2', 'LookupTableSize', 'LookupTableSizeV2'],
]);

const Topology = z.object({
  modelTopology: z.object({
    node: z.array(z.object({ op: z.string() })).optional(),
    library: z
      .object({ function: z.array(z.object({ nodeDef: z.array(z.object({ op: z.string() })).optional() })).optional() })
      .optional(),
  }),
});

/** Whether any node of the graph, or of a function in its library, has a result of no shape known beforehand. */
export function hasDynamicOperations(json: object): boolean {
  const parsed = Topology.safeParse(json);
  if (!parsed.success) return false;
  const { node = [], library } = parsed.data.modelTopology;
  const functions = library?.function ?? [];
  return [...node, ...functions.flatMap(({ nodeDef }) => nodeDef ?? [])].some(({ op }) => DYNAMIC.has(op));
}
