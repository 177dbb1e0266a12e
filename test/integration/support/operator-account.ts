import type { MetricsProvider } from '../../../operator/src/modelservice/metrics-provider.ts';
import type { ServiceAccountRef } from '../../cluster/test-cluster.ts';
import { installChart } from './chart.ts';
import { RESOURCES } from './resource-types.ts';
import { testApi } from './test-run.ts';

/** What the audit log calls a service account. */
export function usernameOf({ namespace, name }: ServiceAccountRef): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The parts of the chart that say who the operator is and what it may do. */
const ACCESS = ['ServiceAccount', 'Role', 'RoleBinding'];
const CLUSTER_WIDE = ['ClusterRole', 'ClusterRoleBinding'] as const;

/** As which the chart is rendered for the operator of a suite, unless it needs something cluster-wide. */
export const OPERATOR_RELEASE = 'operator';

/** The Lease that the account of a release may write. */
export function leaseNameOf(release: string): string {
  return `${release}-modelservice-operator`.slice(0, 63);
}

export interface OperatorAccountOptions {
  /** The first is the account's own. */
  readonly namespaces: readonly [string, ...string[]];
  /** The chart's metrics. Default: provider none, which needs nothing outside of the namespaces. */
  readonly metrics?: MetricsValues | undefined;
  /** See ChartOptions. */
  readonly apiVersions?: readonly string[] | undefined;
}

/** The chart's `metrics`. */
export interface MetricsValues {
  readonly provider: MetricsProvider;
  readonly prometheusUrl?: string;
}

/**
 * The chart's ServiceAccount, in the suite's namespace, with exactly the rights that the chart gives it there: what the
 * suites need is then what the chart grants.
 */
export async function createOperatorAccount(
  namespace: string,
  ...furtherNamespaces: readonly string[]
): Promise<ServiceAccountRef> {
  return await createAccount({ namespaces: [namespace, ...furtherNamespaces] });
}

export async function createAccount({
  namespaces,
  metrics,
  apiVersions,
}: OperatorAccountOptions): Promise<ServiceAccountRef> {
  const [namespace] = namespaces;
  const common = { watchNamespaces: namespaces, rbac: { aggregateRoles: false } };
  if (metrics === undefined) {
    const { serviceAccount } = await installChart({ release: OPERATOR_RELEASE, namespace, values: common }, ACCESS);
    return serviceAccount;
  }
  // What is cluster-wide carries the release's name, and is the suite's: it goes with the suite's namespace.
  const options = { release: namespace, namespace, values: { ...common, metrics }, apiVersions };
  const { serviceAccount, objects } = await installChart(options, [...ACCESS, ...CLUSTER_WIDE]);
  const { metadata } = await testApi().get(RESOURCES.namespaces, { name: namespace });
  const owner = { apiVersion: 'v1', kind: 'Namespace', name: namespace, uid: metadata.uid };
  for (const { kind, metadata: rendered } of objects) {
    if (!CLUSTER_WIDE.some((wide) => wide === kind)) continue;
    const type = kind === 'ClusterRole' ? RESOURCES.clusterRoles : RESOURCES.clusterRoleBindings;
    await testApi().mergePatch(type, { name: rendered.name }, { metadata: { ownerReferences: [owner] } });
  }
  return serviceAccount;
}
