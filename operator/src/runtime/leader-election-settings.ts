import { z } from 'zod';
import { ConfigError, SETTING, type Settings } from './settings.ts';

export interface LeaseRef {
  readonly namespace: string;
  readonly name: string;
}

/** In milliseconds. */
export interface LeaseTiming {
  /** How long a standby waits after the last sign of life before it takes over. */
  readonly leaseDurationMs: number;
  /** How long a leader goes on without a renewal that worked. */
  readonly renewDeadlineMs: number;
  /** Between two tries. */
  readonly retryPeriodMs: number;
}

export interface LeaderElectionConfig extends LeaseTiming {
  readonly lease: LeaseRef;
}

/** Named as Kubernetes' own components name theirs, with client-go's defaults. */
export const LEADER_ELECTION_SETTINGS = {
  leaderElect: {
    flag: 'leader-elect',
    help: 'Work only while holding the lease: true or false. Without it there must be one process only.',
    default: 'true',
  },
  leaseName: { flag: 'leader-elect-resource-name', help: 'Name of the Lease.', default: 'modelservice-operator' },
  leaseNamespace: { flag: 'leader-elect-resource-namespace', help: 'Namespace of the Lease.', default: 'default' },
  leaseDurationMs: {
    flag: 'leader-elect-lease-duration',
    help: 'How long after the last sign of life of the leader a standby takes over, in whole seconds.',
    default: '15s',
  },
  renewDeadlineMs: {
    flag: 'leader-elect-renew-deadline',
    help: 'How long the leader goes on without a renewal that worked: shorter than the lease.',
    default: '10s',
  },
  retryPeriodMs: {
    flag: 'leader-elect-retry-period',
    help: 'How long between two tries to take or renew the lease: shorter than the deadline.',
    default: '2s',
  },
} as const satisfies Settings;

export const LEADER_ELECTION_SCHEMA = {
  leaderElect: z.enum(['true', 'false'], { error: 'write true or false' }).transform((text) => text === 'true'),
  leaseName: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'write the name of a Lease'),
  leaseNamespace: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'write the name of a namespace'),
  // The API stores whole seconds: a standby would go by another duration than was asked for.
  leaseDurationMs: SETTING.durationMs.refine((ms) => ms % 1000 === 0, 'write whole seconds such as 15s'),
  renewDeadlineMs: SETTING.durationMs,
  retryPeriodMs: SETTING.durationMs,
} as const;

/** A renewal that hangs is given up early enough for another: client-go's factor. */
const RETRIES_BEFORE_THE_DEADLINE = 1.2;

/** @returns undefined where nobody is elected. @throws {ConfigError} where the times do not fit together */
export function leaderElectionConfigOf(
  settings: LeaseTiming & {
    readonly leaderElect: boolean;
    readonly leaseName: string;
    readonly leaseNamespace: string;
  },
): LeaderElectionConfig | undefined {
  const { leaderElect, leaseName: name, leaseNamespace: namespace, ...rest } = settings;
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = rest;
  const flags = LEADER_ELECTION_SETTINGS;
  if (leaseDurationMs <= renewDeadlineMs) {
    throw new ConfigError(
      `--${flags.renewDeadlineMs.flag} has to be shorter than --${flags.leaseDurationMs.flag}: else two lead at a time`,
    );
  }
  if (renewDeadlineMs <= RETRIES_BEFORE_THE_DEADLINE * retryPeriodMs) {
    throw new ConfigError(
      `--${flags.retryPeriodMs.flag} has to be shorter than --${flags.renewDeadlineMs.flag}, by a fifth: else one failed renewal ends a term`,
    );
  }
  return leaderElect ? { lease: { namespace, name }, leaseDurationMs, renewDeadlineMs, retryPeriodMs } : undefined;
}
