import { parseArgs } from 'node:util';
import { z } from 'zod';
import { durationMs } from './duration.ts';

/** A flag, an environment variable and, where a cluster needs it, a Helm value. */
export interface Setting {
  readonly flag: string;
  readonly help: string;
  /** What it is when neither flag nor variable is there. */
  readonly default: string;
}

export type Settings = Readonly<Record<string, Setting>>;

/** A flag or variable that cannot be used; the message says which, and what to write. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export const SETTING = {
  port: z.coerce.number({ error: 'write a port number' }).int().min(0).max(65_535),
  logLevel: z.enum(['debug', 'info', 'warn', 'error'], { error: 'write debug, info, warn or error' }),
  durationMs: z
    .string()
    .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, 'write a duration such as 90s')
    .transform(durationMs)
    .refine((ms) => ms > 0, 'write a duration greater than zero'),
  /** Undefined where it is empty. */
  serverUrl: z
    .string()
    .refine(
      (text) => text === '' || isServerUrl(text),
      'write http://HOST:PORT or https://HOST:PORT, perhaps with a path, without credentials',
    )
    .transform((text) => (text === '' ? undefined : text)),
  names: z.string().transform((text) => text.split(',').filter((name) => name !== '')),
} as const;

function isServerUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return [url.username, url.password, url.search, url.hash].every((part) => part === '');
}

/** What every program of the operator can be told. */
export interface CommonConfig {
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Undefined: all addresses of the machine. */
  readonly bindAddress: string | undefined;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly watchSilenceTimeoutMs: number;
}

export const COMMON_SETTINGS = {
  watchNamespaces: {
    flag: 'watch-namespaces',
    help: 'Namespaces to look after, separated by commas; empty for all.',
    default: '',
  },
  logLevel: { flag: 'log-level', help: 'Least severe level logged: debug, info, warn or error.', default: 'info' },
  bindAddress: { flag: 'bind-address', help: 'Address for health and metrics; empty for all.', default: '' },
  healthPort: { flag: 'health-port', help: 'Port of /healthz and /readyz.', default: '8081' },
  metricsPort: { flag: 'metrics-port', help: 'Port of /metrics.', default: '8080' },
  watchSilenceTimeoutMs: {
    flag: 'watch-silence-timeout',
    help: 'A watch on which nothing came for so long is begun again, for example 90s.',
    default: '90s',
  },
} as const satisfies Settings;

export const COMMON_SETTINGS_SCHEMA = {
  watchNamespaces: SETTING.names,
  logLevel: SETTING.logLevel,
  bindAddress: z.string().transform((text) => (text === '' ? undefined : text)),
  healthPort: SETTING.port,
  metricsPort: SETTING.port,
  watchSilenceTimeoutMs: SETTING.durationMs,
} as const;

/**
 * The settings from flags and environment variables; a flag wins. `help` instead where it was asked for.
 *
 * @param schema reads the text of each setting, by its name
 * @throws {ConfigError}
 */
export function readSettings<Schema extends z.ZodType>(
  settings: Settings,
  schema: Schema,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): z.output<Schema> | 'help' {
  const flags = readFlags(settings, args);
  if (flags.help === true) return 'help';
  const texts = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => {
      const flag = flags[setting.flag];
      return [name, typeof flag === 'string' ? flag : (env[variableOf(setting)] ?? setting.default)];
    }),
  );
  const parsed = schema.safeParse(texts);
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => describe(settings, issue, texts)).join('; '));
  }
  return parsed.data;
}

/** What `--help` prints. */
export function helpText(program: string, purpose: string, settings: Settings): string {
  const lines = Object.values(settings).map((setting) => {
    const value = setting.default === '' ? 'none' : setting.default;
    return `  --${setting.flag}=…  (${variableOf(setting)}; default: ${value})\n      ${setting.help}`;
  });
  return `Usage: ${program} [FLAGS]\n\n${purpose}\n\n${lines.join('\n')}\n`;
}

/** The environment variable of a setting. */
export function variableOf(setting: Setting): string {
  return `MODELSERVICE_${setting.flag.toUpperCase().replaceAll('-', '_')}`;
}

function readFlags(
  settings: Settings,
  args: readonly string[],
): Readonly<Record<string, string | boolean | undefined>> {
  const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } };
  for (const { flag } of Object.values(settings)) options[flag] = { type: 'string' };
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

function describe(settings: Settings, issue: z.core.$ZodIssue, texts: Readonly<Record<string, string>>): string {
  const name = String(issue.path[0]);
  const setting = settings[name];
  if (setting === undefined) return issue.message;
  return `--${setting.flag} (or ${variableOf(setting)}) is "${texts[name]}": ${issue.message}`;
}
