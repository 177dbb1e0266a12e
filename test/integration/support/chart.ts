import { fileURLToPath } from 'node:url';
import { loadAll } from 'js-yaml';
import type { ServiceAccountRef } from '../../cluster/test-cluster.ts';
import { kubectl } from './kubectl.ts';
import { runTool } from './run-tool.ts';
import { testCluster } from './test-run.ts';

/** Folder of the chart. */
export const CHART = fileURLToPath(new URL('../../../helm/modelservice-operator', import.meta.url));

const CHART_NAME = 'modelservice-operator';
/** Of the role that carries the operator's rights, in every release. */
export const ROLE_NAME = 'modelservice-operator';

export interface ChartOptions {
  readonly release: string;
  readonly namespace: string;
  /** What differs from values.yaml. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
  /** What the cluster serves beside Kubernetes' own, for rendering without it, such as `keda.sh/v1alpha1`. */
  readonly apiVersions?: readonly string[] | undefined;
  /** Who calls helm. Default: the administrator of the test cluster. */
  readonly kubeconfig?: string | undefined;
}

/** An object as the chart renders it. */
export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/**
 * `helm COMMAND` with a release and its values; the values go through stdin. Its further components only where a suite
 * asks for them: while the custom metrics API's pods do not run, and here is no node, no namespace of the cluster could
 * be deleted.
 */
export function helm(
  command: readonly string[],
  { release, namespace, values = {}, kubeconfig }: ChartOptions,
  flags: readonly string[] = [],
): Promise<string> {
  const args = [...command, release, CHART, '--namespace', namespace, '--values', '-', ...flags];
  return runTool('helm', args, { input: JSON.stringify(theOperatorAlone(values)), kubeconfig });
}

/** The text that `helm template` prints, as for the test cluster's version of Kubernetes. */
export function chartTemplate(options: ChartOptions, flags: readonly string[] = []): Promise<string> {
  const served = (options.apiVersions ?? []).flatMap((apiVersion) => ['--api-versions', apiVersion]);
  return helm(['template'], options, ['--kube-version', testCluster().version, ...served, ...flags]);
}

export async function renderChart(options: ChartOptions): Promise<readonly RenderedObject[]> {
  const documents = loadAll(await chartTemplate(options));
  return documents.filter((object) => object !== null && object !== undefined) as unknown as RenderedObject[];
}

/** A rule of a role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export interface InstalledChart {
  readonly serviceAccount: ServiceAccountRef;
  /** What was applied. */
  readonly objects: readonly RenderedObject[];
  /** What the account may do. */
  readonly rules: readonly Rule[];
  /** What the operator's container is started with. */
  readonly operatorArgs: readonly string[];
  /** Deletes all but the CustomResourceDefinition. */
  uninstall(): Promise<void>;
}

/**
 * `helm template | kubectl apply`: the operator's own account, its rights and its arguments are then what the chart
 * says. Its pod gets no node here; a suite runs the operator as a process that acts as the account.
 *
 * @param kinds what to apply of it, and then of the operator's own alone. Default: all
 */
export async function installChart(options: ChartOptions, kinds?: readonly string[]): Promise<InstalledChart> {
  const objects = await renderChart(options);
  const applied = objects.filter(
    (object) => kinds === undefined || (kinds.includes(object.kind) && isOperators(object)),
  );
  await kubectl(['apply', '-f', '-'], { input: toText(applied) });
  const { serviceAccountName, containers } = (operatorDeployment(objects).spec as DeploymentSpec).template.spec;
  return {
    serviceAccount: { namespace: options.namespace, name: serviceAccountName },
    objects: applied,
    rules: [...operatorRules(objects), ...leaderElectionRules(objects)],
    operatorArgs: containers[0]?.args ?? [],
    async uninstall() {
      const removed = applied.filter(({ kind }) => kind !== 'CustomResourceDefinition');
      await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], { input: toText(removed) });
    },
  };
}

/** The one object of a kind. */
export function only(objects: readonly RenderedObject[], kind: string): RenderedObject {
  const [object, another] = objects.filter((candidate) => candidate.kind === kind);
  if (object === undefined || another !== undefined) {
    throw new Error(`Expected one ${kind} among ${objects.map((each) => `${each.kind} ${each.metadata.name}`)}`);
  }
  return object;
}

/** The operator's own, among those of its parts. */
export function operatorDeployment(objects: readonly RenderedObject[]): RenderedObject {
  return only(objects.filter(isOperators), 'Deployment');
}

function isOperators({ metadata }: RenderedObject): boolean {
  return metadata.labels['app.kubernetes.io/name'] === CHART_NAME;
}

/** The rules of the operator's own role, which the chart renders for all namespaces or once for each. */
export function operatorRules(objects: readonly RenderedObject[]): readonly Rule[] {
  const role = objects.find(({ kind, metadata }) => kind.endsWith('Role') && metadata.name === ROLE_NAME);
  return (role?.rules ?? []) as readonly Rule[];
}

/** The rules by which it elects a leader, in its own namespace. */
function leaderElectionRules(objects: readonly RenderedObject[]): readonly Rule[] {
  const role = objects.find(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-leader-election'));
  return (role?.rules ?? []) as readonly Rule[];
}

/** The part of a Deployment that tests read. */
export interface DeploymentSpec {
  readonly template: {
    readonly spec: {
      readonly serviceAccountName: string;
      readonly containers: readonly { readonly args: readonly string[]; readonly image: string }[];
    };
  };
}

/** JSON documents are YAML documents. */
function toText(objects: readonly RenderedObject[]): string {
  return objects.map((object) => JSON.stringify(object)).join('\n---\n');
}

function theOperatorAlone(values: Readonly<Record<string, unknown>>): object {
  return {
    ...values,
    metrics: { provider: 'none', ...(values.metrics as object | undefined) },
    gateway: { replicas: 0, ...(values.gateway as object | undefined) },
  };
}
