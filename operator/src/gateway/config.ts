import { z } from 'zod';
import {
  COMMON_SETTINGS,
  COMMON_SETTINGS_SCHEMA,
  type CommonConfig,
  helpText as helpTextOf,
  readSettings,
  SETTING,
  type Settings,
} from '../runtime/settings.ts';

/** The settings of the gateway. It listens for ModelServices where health and metrics are served, too. */
export interface GatewayConfig extends CommonConfig {
  /** How long a request is held at most. */
  readonly holdTimeoutMs: number;
  /** How many requests one process holds at most; one ModelService gets half of these places. */
  readonly maxHeldRequests: number;
  /** How long what is held or being answered may take when the gateway stops. */
  readonly drainTimeoutMs: number;
}

export const GATEWAY_SETTINGS = {
  ...COMMON_SETTINGS,
  holdTimeoutMs: { flag: 'hold-timeout', help: 'How long a request is held at most.', default: '5m' },
  maxHeldRequests: {
    flag: 'max-held-requests',
    help: 'How many requests are held at most; half of them for one ModelService.',
    default: '1000',
  },
  drainTimeoutMs: {
    flag: 'drain-timeout',
    help: 'How long what is held or being answered may take when the gateway stops.',
    default: '2m',
  },
} as const satisfies Settings;

const schema = z.object({
  ...COMMON_SETTINGS_SCHEMA,
  holdTimeoutMs: SETTING.durationMs,
  maxHeldRequests: z.coerce.number({ error: 'write a number' }).int().min(2).max(100_000),
  drainTimeoutMs: SETTING.durationMs,
});

/** @throws {ConfigError} */
export function readConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): GatewayConfig | 'help' {
  return readSettings(GATEWAY_SETTINGS, schema, args, env);
}

/** What `--help` prints. */
export function helpText(): string {
  const purpose =
    "Holds the requests of ModelServices that are at zero and has them woken: KUBECONFIG, or the pod's own service account.";
  return helpTextOf('modelservice-gateway', purpose, GATEWAY_SETTINGS);
}
