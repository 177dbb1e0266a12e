import { withFieldsAsText } from '../kube/managed-fields.ts';
import type { KubeObject } from '../kube/types.ts';

/**
 * Drops the managedFields entries of all managers but these, and keeps those as text: as trees they are the larger half
 * of an object.
 */
export function keepManagedFieldsOf<T extends KubeObject>(managers: readonly string[]): (object: T) => T {
  const kept = new Set(managers);
  return (object) => {
    const { managedFields = [], ...metadata } = object.metadata;
    const entries = managedFields.filter((entry) => kept.has(entry.manager)).map(withFieldsAsText);
    return { ...object, metadata: entries.length === 0 ? metadata : { ...metadata, managedFields: entries } };
  };
}
