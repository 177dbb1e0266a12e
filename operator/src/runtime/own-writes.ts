import type { KubeObject } from '../kube/types.ts';
import { keyOf } from './object-key.ts';

/**
 * The versions that we wrote and the watch has not brought yet, after client-go's mutation cache
 * (tools/cache/mutation_cache.go). Resource versions of one type are numbers that grow with each write of it; where an
 * API server's are none, nothing is recorded and the store follows the watch alone.
 */
export class OwnWrites {
  readonly #versions = new Map<string, bigint>();

  /** True when `object` is newer than all that the watch has brought, up to `seen`, and than what is recorded. */
  record(object: KubeObject, seen: string): boolean {
    const version = versionOf(object.metadata.resourceVersion);
    const seenVersion = versionOf(seen);
    if (version === undefined || seenVersion === undefined || version <= seenVersion) return false;
    const key = keyOf(object);
    if (version <= (this.#versions.get(key) ?? 0n)) return false;
    this.#versions.set(key, version);
    return true;
  }

  /** True when the event that brings `object` is older than what we wrote; forgets a write that was caught up with. */
  overtook(object: KubeObject): boolean {
    const key = keyOf(object);
    const written = this.#versions.get(key);
    if (written === undefined) return false;
    const version = versionOf(object.metadata.resourceVersion);
    if (version !== undefined && version < written) return true;
    this.#versions.delete(key);
    return false;
  }

  /** A list shows everything as it is. */
  clear(): void {
    this.#versions.clear();
  }
}

function versionOf(text: string): bigint | undefined {
  return /^[0-9]+$/.test(text) ? BigInt(text) : undefined;
}
