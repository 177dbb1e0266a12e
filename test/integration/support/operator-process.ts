import { eventually } from './eventually.ts';
import { createAccount, leaseNameOf, type MetricsValues, OPERATOR_RELEASE } from './operator-account.ts';
import { type ProgramProcess, startProgram } from './program-process.ts';
import { RESOURCES } from './resource-types.ts';
import { testApi, testRun } from './test-run.ts';

export interface OperatorOptions {
  /** Whom it acts as. Default: the account that the chart makes for these namespaces. */
  readonly kubeconfig?: string | undefined;
  /** The namespaces that it looks after. A suite names its own, so that no other suite's operator interferes. */
  readonly namespaces: readonly string[];
  /** Where autoscalers read: the chart's `metrics`. Default: provider none. */
  readonly metrics?: MetricsValues | undefined;
  /** See ChartOptions. */
  readonly apiVersions?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  /** Another program in place of the operator. */
  readonly main?: URL | undefined;
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export type OperatorProcess = ProgramProcess;

/**
 * Not the chart's: an operator that is alone must not end because the machine stood still. One that was stopped has given
 * its lease back, and one that crashed loses it below, so that the next need not wait.
 */
const LEASE_ARGS = ['--leader-elect-lease-duration=120s', '--leader-elect-renew-deadline=100s'];

/** Runs `operator/bin/operator.js` as a process of its own and waits until it says that it is ready. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  const [namespace = ''] = options.namespaces;
  const lease = { namespace, name: leaseNameIn(options) };
  const operator = await startProgram({
    program: 'operator',
    main: options.main,
    kubeconfig: options.kubeconfig ?? (await chartKubeconfig(options)),
    args: [
      `--watch-namespaces=${options.namespaces.join(',')}`,
      '--server-image-wasm=modelservice-server:test-wasm',
      '--server-image-tensorflow=modelservice-server:test-tensorflow',
      ...metricsArgs(options.metrics),
      ...(namespace === '' ? [] : [`--leader-elect-resource-namespace=${namespace}`]),
      `--leader-elect-resource-name=${lease.name}`,
      ...LEASE_ARGS,
      ...(options.args ?? []),
    ],
    env: options.env,
  });
  return {
    ...operator,
    async crash() {
      await operator.crash();
      if (namespace !== '') await testApi().delete(RESOURCES.leases, lease);
    },
  };
}

/** Waits until the operator has taken its lease, and works. */
export async function awaitLeading({ metricsUrl }: OperatorProcess): Promise<void> {
  await eventually(async () => await (await fetch(`${metricsUrl}/metrics`)).text(), {
    because: 'the operator leads',
    until: (metrics) => /^leader_election_master_status\{.*\} 1$/m.test(metrics),
    deadlineMs: 120_000,
  });
}

/** The one that the account may write. */
function leaseNameIn({ kubeconfig, metrics, namespaces: [namespace = ''] }: OperatorOptions): string {
  return leaseNameOf(kubeconfig === undefined && metrics !== undefined ? namespace : OPERATOR_RELEASE);
}

async function chartKubeconfig(options: OperatorOptions): Promise<string> {
  const [namespace, ...further] = options.namespaces;
  if (namespace === undefined) throw new Error('An operator for all namespaces needs a kubeconfig of its own.');
  return await testRun().cluster.kubeconfigFor(
    await createAccount({ ...options, namespaces: [namespace, ...further] }),
  );
}

function metricsArgs({ provider, prometheusUrl }: MetricsValues = { provider: 'none' }): readonly string[] {
  return [
    `--metrics-provider=${provider}`,
    ...(prometheusUrl === undefined ? [] : [`--prometheus-url=${prometheusUrl}`]),
  ];
}
