import { isPodReady, type Pod } from '../live-objects.ts';
import type { ModelInfo } from '../model-info.ts';
import { type ModelService, modelNameOf } from '../resource.ts';
import type { ModelStatus } from '../types.generated.ts';

/**
 * What is served. The newest ready pod that told says it; while none of the present model has (the operator has just
 * started, pods are being made), what was known of the same URI stays.
 */
export function modelsOf(
  service: ModelService,
  pods: readonly Pod[],
  info: ReadonlyMap<string, ModelInfo>,
): readonly ModelStatus[] {
  const { uri, version } = service.spec.model;
  const name = modelNameOf(service);
  const told = pods
    .filter(isPodReady)
    .map((pod) => info.get(pod.metadata.uid))
    .find((found) => found !== undefined && (found.uri === undefined || found.uri === uri));
  const before = service.status.models?.find((model) => model.name === name && model.uri === uri);
  const known = told ?? before;
  return [
    {
      name,
      version,
      uri,
      ...(known?.digest === undefined ? {} : { digest: known.digest }),
      ...(known?.format === undefined ? {} : { format: known.format }),
      ...(known?.engine === undefined ? {} : { engine: known.engine }),
    },
  ];
}
