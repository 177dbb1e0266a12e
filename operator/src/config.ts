import { z } from 'zod';
import type { ServerImages } from './modelservice/plan/server-image.ts';
import {
  COMMON_SETTINGS,
  COMMON_SETTINGS_SCHEMA,
  type CommonConfig,
  helpText as helpTextOf,
  readSettings,
  type Settings,
} from './runtime/settings.ts';

/** The operator's settings. Each is a flag, an environment variable and, where a cluster needs it, a Helm value. */
export interface OperatorConfig extends CommonConfig {
  readonly images: ServerImages;
  readonly workers: number;
}

export const SETTINGS = {
  ...COMMON_SETTINGS,
  serverImageWasm: {
    flag: 'server-image-wasm',
    help: 'Server image with the engines Wasm and JavaScript.',
    default: 'modelservice-server:0.1.0-wasm',
  },
  serverImageTensorflow: {
    flag: 'server-image-tensorflow',
    help: 'Server image with TensorFlow for CPUs.',
    default: 'modelservice-server:0.1.0-tensorflow',
  },
  serverImageTensorflowGPU: {
    flag: 'server-image-tensorflow-gpu',
    help: 'Server image with TensorFlow for GPUs; empty where there is none.',
    default: '',
  },
  workers: { flag: 'workers', help: 'How many ModelServices are worked on at the same time.', default: '4' },
} as const satisfies Settings;

const image = z.string().regex(/^\S+$/, 'write the name of an image');

const schema = z.object({
  ...COMMON_SETTINGS_SCHEMA,
  serverImageWasm: image,
  serverImageTensorflow: image,
  serverImageTensorflowGPU: z.string().regex(/^\S*$/, 'write the name of an image'),
  workers: z.coerce.number({ error: 'write a number' }).int().min(1).max(256),
});

/** @throws {ConfigError} */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OperatorConfig | 'help' {
  const settings = readSettings(SETTINGS, schema, args, env);
  if (settings === 'help') return 'help';
  const { serverImageWasm, serverImageTensorflow, serverImageTensorflowGPU, ...rest } = settings;
  return {
    ...rest,
    images: {
      wasm: serverImageWasm,
      tensorflow: serverImageTensorflow,
      tensorflowGPU: serverImageTensorflowGPU === '' ? undefined : serverImageTensorflowGPU,
    },
  };
}

/** What `--help` prints. */
export function helpText(): string {
  const purpose = "Looks after the ModelServices of a cluster: KUBECONFIG, or the pod's own service account.";
  return helpTextOf('modelservice-operator', purpose, SETTINGS);
}
