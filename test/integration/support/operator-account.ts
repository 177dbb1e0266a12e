import type { ServiceAccountRef } from '../../cluster/test-cluster.ts';
import { installChart } from './chart.ts';

/** What the audit log calls a service account. */
export function usernameOf({ namespace, name }: ServiceAccountRef): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

/** The parts of the chart that say who the operator is and what it may do. */
const ACCESS = ['ServiceAccount', 'Role', 'RoleBinding'];

/**
 * The chart's ServiceAccount, in the suite's namespace, with exactly the rights that the chart gives it there: what the
 * suites need is then what the chart grants.
 */
export async function createOperatorAccount(
  namespace: string,
  ...furtherNamespaces: readonly string[]
): Promise<ServiceAccountRef> {
  const values = { watchNamespaces: [namespace, ...furtherNamespaces] };
  const { serviceAccount } = await installChart({ release: 'operator', namespace, values }, ACCESS);
  return serviceAccount;
}
