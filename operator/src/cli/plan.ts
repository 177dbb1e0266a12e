import { KubeClient } from '../kube/kube-client.ts';
import { loadAccess } from '../kube/load-access.ts';
import { DEPLOYMENT } from '../kube/resources.ts';
import type { KubeObject, ResourceType } from '../kube/types.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../modelservice/conventions.ts';
import type { Deployment } from '../modelservice/live-objects.ts';
import { MODEL_SERVICE, type ModelService } from '../modelservice/resource.ts';
import { listAll } from '../runtime/list-all.ts';
import { keyOf } from '../runtime/object-key.ts';
import type { PlanArguments } from './plan-arguments.ts';
import { type UpgradeEffect, upgradeEffect } from './upgrade-effect.ts';

export interface PlanOptions {
  readonly output: { write(text: string): unknown };
  readonly errors: { write(text: string): unknown };
  /** KUBECONFIG names the cluster. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const PAGE_SIZE = 500;

/**
 * Prints which services' pods an upgrade of the operator to this version would make anew, and why. Only lists.
 *
 * @returns the exit status: 0 none would be, 1 some would, 2 it could not be found out
 */
export async function plan(args: PlanArguments, { output, errors, env, signal }: PlanOptions): Promise<number> {
  let api: KubeClient | undefined;
  try {
    api = new KubeClient({ access: await loadAccess(env), userAgent: 'modelservice-plan' });
    const services = await listIn<ModelService>(api, MODEL_SERVICE, args, undefined, signal);
    const labelSelector = `${MANAGED_BY_LABEL}=${MANAGED_BY}`;
    const deployments = await listIn<Deployment>(api, DEPLOYMENT, args, labelSelector, signal);
    const byKey = new Map(deployments.map((deployment) => [keyOf(deployment), deployment]));
    const rows = services
      .map((service) => ({ key: keyOf(service), service }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ key, service }) => ({ key, effect: upgradeEffect(service, byKey.get(key), args.images) }));
    output.write(tableOf(rows));
    return rows.some(({ effect }) => effect.rolls) ? 1 : 0;
  } catch (error) {
    errors.write(`Could not read the cluster: ${error instanceof Error ? error.message : error}\n`);
    return 2;
  } finally {
    await api?.close();
  }
}

async function listIn<T extends KubeObject>(
  api: KubeClient,
  type: ResourceType,
  { namespaces }: PlanArguments,
  labelSelector: string | undefined,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const scopes = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
  const lists = scopes.map((scope) => listAll<T>(api, type, { ...scope, labelSelector }, PAGE_SIZE, signal));
  return (await Promise.all(lists)).flatMap(({ items }) => items);
}

function tableOf(rows: readonly { readonly key: string; readonly effect: UpgradeEffect }[]): string {
  const lines = [
    ['NAMESPACE/NAME', 'ROLLS', 'WHAT CHANGES'],
    ...rows.map(({ key, effect }) => [key, effect.rolls ? 'yes' : 'no', effect.reason]),
  ];
  const width = Math.max(...lines.map(([key = '']) => key.length));
  return lines
    .map(([key = '', rolls = '', reason = '']) => `${key.padEnd(width)}  ${rolls.padEnd(5)}  ${reason}\n`)
    .join('');
}
