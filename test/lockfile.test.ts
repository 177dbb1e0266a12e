import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';

interface LockedPackage {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('package-lock.json', () => {
  const text = readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Readonly<Record<string, LockedPackage>> };

  it('names no registry, so that npm ci works with whichever is configured', () => {
    const resolved = Object.entries(packages).filter(([, { resolved, link }]) => resolved !== undefined && !link);
    assert.deepEqual(resolved, []);
  });

  it('locks every optional dependency, because npm ci refuses a lockfile that lacks one for another platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(path, name)),
    );
    assert.deepEqual(missing, []);
  });

  /** Whether a package that lies at `path` finds the dependency, in its own node_modules or in one further out. */
  function isLocked(path: string, name: string): boolean {
    if (`${path}${path === '' ? '' : '/'}node_modules/${name}` in packages) return true;
    return path !== '' && isLocked(path.slice(0, Math.max(0, path.lastIndexOf('/'))), name);
  }
});
