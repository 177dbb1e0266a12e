import { parseArgs } from 'node:util';
import { SETTINGS } from '../config.ts';
import type { ServerImages } from '../modelservice/plan/server-image.ts';
import { UsageError } from './usage-error.ts';

export interface PlanArguments {
  readonly command: 'plan';
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** The default images of the operator to come. */
  readonly images: ServerImages;
}

const { serverImageWasm, serverImageTensorflow, serverImageTensorflowGPU } = SETTINGS;

export const PLAN_USAGE = `  plan                  say which services' pods an upgrade of the operator to this version would make anew;
                        reads the cluster of KUBECONFIG and changes nothing. Exit status: 0 none, 1 some, 2 failed
      -n, --namespace NAMESPACE    only these; may be repeated (default all)
      --${serverImageWasm.flag} IMAGE, --${serverImageTensorflow.flag} IMAGE, --${serverImageTensorflowGPU.flag} IMAGE
                            the default images that the operator will have (default its own)
`;

/** @throws UsageError */
export function parsePlan(args: readonly string[]): PlanArguments {
  const values = parsedPlan(args);
  const image = (setting: { readonly flag: string; readonly default: string }): string => {
    const text = values[setting.flag];
    if (text === undefined) return setting.default;
    if (typeof text !== 'string' || !/^\S+$/.test(text)) throw new UsageError(`plan: --${setting.flag} takes an image`);
    return text;
  };
  const tensorflowGPU = image(serverImageTensorflowGPU);
  const { namespace = [] } = values;
  return {
    command: 'plan',
    namespaces: Array.isArray(namespace) ? namespace.map(String) : [],
    images: {
      wasm: image(serverImageWasm),
      tensorflow: image(serverImageTensorflow),
      ...(tensorflowGPU === '' ? {} : { tensorflowGPU }),
    },
  };
}

function parsedPlan(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        namespace: { type: 'string', short: 'n', multiple: true },
        [serverImageWasm.flag]: { type: 'string' },
        [serverImageTensorflow.flag]: { type: 'string' },
        [serverImageTensorflowGPU.flag]: { type: 'string' },
      },
    }).values as Readonly<Record<string, string | readonly string[] | undefined>>;
  } catch (error) {
    throw new UsageError(`plan: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
