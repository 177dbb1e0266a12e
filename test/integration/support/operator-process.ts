import { createAccount, type MetricsValues } from './operator-account.ts';
import { type ProgramProcess, startProgram } from './program-process.ts';
import { testRun } from './test-run.ts';

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

/** Runs `operator/bin/operator.js` as a process of its own and waits until it says that it is ready. */
export async function startOperator(options: OperatorOptions): Promise<OperatorProcess> {
  return await startProgram({
    program: 'operator',
    main: options.main,
    kubeconfig: options.kubeconfig ?? (await chartKubeconfig(options)),
    args: [
      `--watch-namespaces=${options.namespaces.join(',')}`,
      '--server-image-wasm=modelservice-server:test-wasm',
      '--server-image-tensorflow=modelservice-server:test-tensorflow',
      ...metricsArgs(options.metrics),
      ...(options.args ?? []),
    ],
    env: options.env,
  });
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
