import type { Intent } from '../../kube/types.ts';
import { childLabels } from '../conventions.ts';
import { type ModelService, ownerReferenceTo } from '../resource.ts';

export interface ChildMetadataParts {
  /** Default: the ModelService's own. */
  readonly name?: string;
  /** In addition to those of every child. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The metadata of a child of `service`: in its namespace, labelled as its child and owned by it. */
export function childMetadata(service: ModelService, parts: ChildMetadataParts = {}): Intent['metadata'] {
  const { name, namespace } = service.metadata;
  return {
    name: parts.name ?? name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { ...childLabels(name), ...parts.labels },
    ...(parts.annotations === undefined ? {} : { annotations: parts.annotations }),
    ownerReferences: [ownerReferenceTo(service)],
  };
}
