import { after, afterEach, before } from 'mocha';
import { CHART as CHART_FOLDER } from '../../integration/support/chart.ts';
import { kubectl } from '../../integration/support/kubectl.ts';
import { runTool } from '../../integration/support/run-tool.ts';

const LOG_LINES = 60;
/** All suites use the same: the definition that an uninstalled release leaves belongs to a release of that name there. */
export const CHART = { release: 'modelservice', namespace: 'modelservice-system' };

/** `helm install` with the chart's defaults; returns when the operator and the metrics API are ready. */
export function installChart(): Promise<string> {
  return runHelm('install', CHART.release, CHART_FOLDER, '--create-namespace');
}

/** `helm uninstall`, also where that is done; returns when all but the CustomResourceDefinition is gone. */
export function uninstallChart(): Promise<string> {
  return runHelm('uninstall', CHART.release, '--ignore-not-found');
}

function runHelm(...args: readonly string[]): Promise<string> {
  return runTool('helm', [...args, '--namespace', CHART.namespace, '--wait', '--timeout', '120s']);
}

/** Gives the suite that calls it an operator in the cluster, and shows what happened there after a test that failed. */
export function useInstalledChart(): void {
  before('helm install', () => installChart());
  showClusterAfterFailure();
  after('helm uninstall', () => uninstallChart());
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
const PROGRAMS = {
  operator: 'app.kubernetes.io/name=modelservice-operator',
  'metrics API': 'app.kubernetes.io/name=modelservice-operator-metrics-api',
};
