import { fieldsOf } from '../../kube/managed-fields.ts';
import { firstDifference } from '../../kube/owned-fields.ts';
import { isObject } from '../../kube/same-value.ts';
import { FIELD_MANAGER, SERVER_CONTAINER } from '../conventions.ts';
import type { Deployment } from '../live-objects.ts';
import type { PodTemplate } from './stored-template.ts';

/**
 * The path of the first field of the pod template that applying `template` would change, such as
 * `containers[name=server].image`; undefined where it would roll nothing.
 */
export function templateDifference(template: PodTemplate, deployment: Deployment): string | undefined {
  const { apiVersion, kind, metadata } = deployment;
  const managedFields = (metadata.managedFields ?? []).map((entry) => ({
    ...entry,
    fieldsV1: { 'f:spec': { 'f:template': at(fieldsOf(entry), 'f:spec', 'f:template') } },
  }));
  const intent = { apiVersion, kind, metadata: { name: metadata.name }, spec: { template } };
  const live = { ...deployment, metadata: { ...metadata, managedFields } };
  return firstDifference(intent, live, { fieldManager: FIELD_MANAGER })?.replace(/^spec\.template\.(spec\.)?/, '');
}

/** The image of the server in a pod template. */
export function imageIn(template: object): string | undefined {
  const containers = at(template, 'spec', 'containers');
  const server: unknown = Array.isArray(containers)
    ? containers.find((container) => at(container, 'name') === SERVER_CONTAINER)
    : undefined;
  const image = at(server, 'image');
  return typeof image === 'string' ? image : undefined;
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((part, name) => (isObject(part) ? part[name] : undefined), value);
}
