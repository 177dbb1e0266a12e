import { trimMetadata } from '../runtime/trim-metadata.ts';
import type { ModelService } from './contract.ts';

/** A ModelService as the store keeps it: whether it may be woken, and what it says of itself. */
export function toWatched({ apiVersion, kind, metadata, spec, status }: ModelService): ModelService {
  const { conditions = [], scaling } = status ?? {};
  return {
    apiVersion,
    kind,
    metadata: trimMetadata(metadata),
    spec: { suspend: spec?.suspend === true },
    status: {
      conditions: conditions.filter(({ type }) => type === 'Ready'),
      ...(scaling === undefined ? {} : { scaling }),
    },
  };
}
