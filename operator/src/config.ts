import { parseArgs } from 'node:util';
import { z } from 'zod';
import { durationMs } from './modelservice/duration.ts';
import type { ServerImages } from './modelservice/plan/server-image.ts';

/** The operator's settings. Each is a flag, an environment variable and, where a cluster needs it, a Helm value. */
export interface OperatorConfig {
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly images: ServerImages;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly workers: number;
  /** Undefined: all addresses of the machine. */
  readonly bindAddress: string | undefined;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly watchSilenceTimeoutMs: number;
}

/** What a setting is for and what it is when neither flag nor variable is there. */
interface Setting {
  readonly flag: string;
  readonly help: string;
  readonly default: string;
}

export const SETTINGS = {
  watchNamespaces: {
    flag: 'watch-namespaces',
    help: 'Namespaces to look after, separated by commas; empty for all.',
    default: '',
  },
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
  logLevel: { flag: 'log-level', help: 'Least severe level logged: debug, info, warn or error.', default: 'info' },
  workers: { flag: 'workers', help: 'How many ModelServices are worked on at the same time.', default: '4' },
  bindAddress: { flag: 'bind-address', help: 'Address for health and metrics; empty for all.', default: '' },
  healthPort: { flag: 'health-port', help: 'Port of /healthz and /readyz.', default: '8081' },
  metricsPort: { flag: 'metrics-port', help: 'Port of /metrics.', default: '8080' },
  watchSilenceTimeout: {
    flag: 'watch-silence-timeout',
    help: 'A watch on which nothing came for so long is begun again, for example 90s.',
    default: '90s',
  },
} as const satisfies Readonly<Record<string, Setting>>;

type SettingName = keyof typeof SETTINGS;

const port = z.coerce.number({ error: 'write a port number' }).int().min(0).max(65_535);
const image = z.string().regex(/^\S+$/, 'write the name of an image');

const schema = z.object({
  watchNamespaces: z.string().transform((text) => text.split(',').filter((name) => name !== '')),
  serverImageWasm: image,
  serverImageTensorflow: image,
  serverImageTensorflowGPU: z.string().regex(/^\S*$/, 'write the name of an image'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error'], { error: 'write debug, info, warn or error' }),
  workers: z.coerce.number({ error: 'write a number' }).int().min(1).max(256),
  bindAddress: z.string(),
  healthPort: port,
  metricsPort: port,
  watchSilenceTimeout: z
    .string()
    .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, 'write a duration such as 90s')
    .transform(durationMs)
    .refine((ms) => ms > 0, 'write a duration greater than zero'),
});

/** A flag or variable that cannot be used; the message says which, and what to write. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The settings from flags and environment variables; a flag wins. `help` instead where it was asked for.
 *
 * @throws {ConfigError}
 */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OperatorConfig | 'help' {
  const flags = readFlags(args);
  if (flags.help === true) return 'help';
  const texts = Object.fromEntries(
    settings().map(([name, setting]) => {
      const flag = flags[setting.flag];
      return [name, typeof flag === 'string' ? flag : (env[variableOf(setting)] ?? setting.default)];
    }),
  );
  const parsed = schema.safeParse(texts);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => describe(issue, texts)).join('; '));
  const { serverImageWasm, serverImageTensorflow, serverImageTensorflowGPU, bindAddress, ...rest } = parsed.data;
  return {
    watchNamespaces: rest.watchNamespaces,
    images: {
      wasm: serverImageWasm,
      tensorflow: serverImageTensorflow,
      tensorflowGPU: serverImageTensorflowGPU === '' ? undefined : serverImageTensorflowGPU,
    },
    logLevel: rest.logLevel,
    workers: rest.workers,
    bindAddress: bindAddress === '' ? undefined : bindAddress,
    healthPort: rest.healthPort,
    metricsPort: rest.metricsPort,
    watchSilenceTimeoutMs: rest.watchSilenceTimeout,
  };
}

/** What `--help` prints. */
export function helpText(): string {
  const lines = settings().map(([, setting]) => {
    const value = setting.default === '' ? 'none' : setting.default;
    return `  --${setting.flag}=…  (${variableOf(setting)}; default: ${value})\n      ${setting.help}`;
  });
  return `Usage: modelservice-operator [FLAGS]\n\nLooks after the ModelServices of a cluster: KUBECONFIG, or the pod's own service account.\n\n${lines.join('\n')}\n`;
}

/** The environment variable of a setting. */
export function variableOf(setting: Setting): string {
  return `MODELSERVICE_${setting.flag.toUpperCase().replaceAll('-', '_')}`;
}

function settings(): readonly (readonly [SettingName, Setting])[] {
  return Object.entries(SETTINGS) as [SettingName, Setting][];
}

function readFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } };
  for (const [, { flag }] of settings()) options[flag] = { type: 'string' };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: false }).values as Readonly<
      Record<string, string | boolean | undefined>
    >;
  } catch (error) {
    throw new ConfigError(`${error instanceof Error ? error.message : String(error)} (--help lists the flags)`, {
      cause: error,
    });
  }
}

function describe(issue: z.core.$ZodIssue, texts: Readonly<Record<string, string>>): string {
  const name = String(issue.path[0]) as SettingName;
  const setting = SETTINGS[name];
  return `--${setting.flag} (or ${variableOf(setting)}) is "${texts[name]}": ${issue.message}`;
}
