import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'mocha';
import { BINDING_VERSION } from '../src/engine/tensorflow-location.ts';
import { compileArguments, downloadArguments, wheelFor } from './recipe.ts';

describe('recipe of the native engine', () => {
  const refused = [
    {
      because: 'no wheel is pinned for it',
      platform: 'darwin',
      arch: 'arm64',
      glibc: undefined,
      says: /linux-x64 only/,
    },
    { because: 'musl has no glibc', platform: 'linux', arch: 'x64', glibc: undefined, says: /another C library/ },
    { because: 'glibc is too old', platform: 'linux', arch: 'x64', glibc: '2.17', says: /2\.27 or newer.*has 2\.17/ },
  ];
  for (const { because, platform, arch, glibc, says } of refused) {
    it(`refuses ${platform}-${arch} and names the way out, because ${because}`, () => {
      assert.throws(() => wheelFor(platform, arch, glibc), { name: 'RecipeError', message: says });
      assert.throws(() => wheelFor(platform, arch, glibc), { message: /"engine: Wasm"/ });
    });
  }

  it('takes any glibc from 2.27 on', () => {
    for (const glibc of ['2.27', '2.40', '3.0']) {
      assert.equal(wheelFor('linux', 'x64', glibc).requirement, 'tensorflow-cpu==2.21.0');
    }
  });

  it('downloads one fixed file whatever Python this machine has', () => {
    const args = downloadArguments(wheelFor('linux', 'x64', '2.36'), '/somewhere/wheel').join(' ');
    assert.match(args, /--no-deps --only-binary :all:/);
    assert.match(args, /--implementation cp --python-version 3\.11 --abi cp311 --platform manylinux_2_27_x86_64/);
  });

  it('links by a path relative to the binding, so that the folder can be moved', () => {
    const args = compileArguments({ package: '/p', tensorflowHeaders: '/h', nodeHeaders: '/n' });
    assert.ok(args.includes('-Wl,-rpath,$ORIGIN/../../deps/lib'));
    assert.ok(args.includes('/p/lib/napi-v8/tfjs_binding.node'));
  });

  it('pins the version of the binding that the engine is looked for under', () => {
    const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
    const manifest: { dependencies: Record<string, string> } = JSON.parse(read('package.json'));
    assert.equal(manifest.dependencies['@tensorflow/tfjs-node-gpu'], BINDING_VERSION);
    assert.doesNotMatch(read('package-lock.json'), /"resolved"/, 'the lockfile names no registry');
  });
});
