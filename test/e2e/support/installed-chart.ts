import { afterEach, before } from 'mocha';
import { CHART as CHART_FOLDER } from '../../integration/support/chart.ts';
import { kubectl } from '../../integration/support/kubectl.ts';
import { RESOURCES } from '../../integration/support/resource-types.ts';
import { runTool } from '../../integration/support/run-tool.ts';
import { testApi } from '../../integration/support/test-run.ts';
import type { PodObject } from './observed.ts';

const LOG_LINES = 60;
/** All suites use the same: the definition that an uninstalled release leaves belongs to a release of that name there. */
export const CHART = { release: 'modelservice', namespace: 'modelservice-system' };

/** The chart's programs, each by the label of its pods. */
const PROGRAMS = {
  operator: 'app.kubernetes.io/name=modelservice-operator',
  'metrics API': 'app.kubernetes.io/name=modelservice-operator-metrics-api',
  gateway: 'app.kubernetes.io/name=modelservice-operator-gateway',
} as const;

export type Program = keyof typeof PROGRAMS;
export const PROGRAM_NAMES: readonly Program[] = ['operator', 'metrics API', 'gateway'];
export type ChartValues = Readonly<Record<string, unknown>>;

/** `helm install` with the chart's defaults; returns when the operator and the metrics API are ready. */
export function installChart(): Promise<string> {
  return runHelm(['install', CHART.release, CHART_FOLDER, '--create-namespace']);
}

/** `helm upgrade`, which installs where nothing is; returns when every pod of the release is new and ready. */
export function upgradeChart(values: ChartValues = {}): Promise<string> {
  const flags = ['--install', '--create-namespace', '--reset-values', '--values', '-'];
  return runHelm(['upgrade', CHART.release, CHART_FOLDER, ...flags], JSON.stringify(values));
}

/** `helm uninstall`, also where that is done; returns when all but the CustomResourceDefinition is gone. */
export function uninstallChart(): Promise<string> {
  return runHelm(['uninstall', CHART.release, '--ignore-not-found']);
}

function runHelm(args: readonly string[], input?: string): Promise<string> {
  return runTool('helm', [...args, '--namespace', CHART.namespace, '--wait', '--timeout', '180s'], { input });
}

/**
 * Gives the suite that calls it an installed chart, and shows what happened in the cluster after a test that failed. The
 * release stays for the suites after it, each of which brings it to the values that it wants.
 *
 * @param values what differs from values.yaml
 */
export function useInstalledChart(values: ChartValues | (() => ChartValues) = {}): void {
  before('helm upgrade --install', () => upgradeChart(typeof values === 'function' ? values() : values));
  showClusterAfterFailure();
}

/** Pods of one of the chart's programs, those that are being deleted included. */
export function podsOfProgram(program: Program): Promise<readonly PodObject[]> {
  return testApi().list<PodObject>(RESOURCES.pods, { namespace: CHART.namespace, labelSelector: PROGRAMS[program] });
}

/** Prints ModelServices, pods, warnings and the logs of the chart's programs after a test that failed. */
export function showClusterAfterFailure(): void {
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed') return;
    for (const args of [
      ['get', 'modelservices,horizontalpodautoscalers,pods', '--all-namespaces', '--output=wide'],
      ['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp', `--field-selector=${WARNINGS}`],
    ]) {
      console.log(await kubectl(args).catch(String));
    }
    for (const [program, selector] of Object.entries(PROGRAMS)) {
      const log = ['logs', `--namespace=${CHART.namespace}`, `--selector=${selector}`, `--tail=${LOG_LINES}`];
      console.log(`The end of the ${program}'s log:\n${await kubectl(log).catch(String)}`);
    }
  });
}

/** The node has no DNS server, and kubelet mentions it for each pod. */
const WARNINGS = 'type=Warning,reason!=MissingClusterDNS';
