import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, it } from 'mocha';
import { buildArguments, chosenImages, images, sizeTable } from './images.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('images', () => {
  it('have the names that the chart installs, and its version', () => {
    const chart = load(read('helm/modelservice-operator/Chart.yaml')) as { version: string; appVersion: string };
    const { version } = JSON.parse(read('package.json')) as { version: string };
    assert.deepEqual([chart.version, chart.appVersion], [version, version]);

    const values = load(read('helm/modelservice-operator/values.yaml')) as {
      image: string;
      server: { images: Record<string, string> };
    };
    const named = [values.image, ...Object.values(values.server.images)]
      .filter((name) => name !== '')
      .map((name) => name.replace('{{ .Chart.AppVersion }}', version));
    assert.deepEqual(
      named,
      images(version).map(({ name }) => name),
    );
  });

  it('are built from stages that their Dockerfile has', () => {
    for (const { dockerfile, target } of images('1')) {
      if (target !== undefined) assert.match(read(dockerfile), new RegExp(`^FROM .* AS ${target}$`, 'm'));
    }
  });

  it('are built with what the caller adds, such as another base', () => {
    const [, wasm] = images('1.2.3');
    assert.ok(wasm);
    assert.equal(
      buildArguments(wasm, ['--build-arg', 'BASE=mine:1']).join(' '),
      'build --file server-image/Dockerfile --target wasm --tag modelservice-server:1.2.3-wasm --build-arg BASE=mine:1 .',
    );
  });

  for (const { args, keys, extra } of [
    { args: [], keys: ['operator', 'wasm', 'tensorflow'], extra: [] },
    { args: ['wasm', 'operator'], keys: ['operator', 'wasm'], extra: [] },
    { args: ['wasm', '--network', 'host'], keys: ['wasm'], extra: ['--network', 'host'] },
    { args: ['--pull', 'wasm'], keys: ['operator', 'wasm', 'tensorflow'], extra: ['--pull', 'wasm'] },
  ]) {
    it(`are ${keys.join(', ')} for "${args.join(' ')}"`, () => {
      const choice = chosenImages(args, images('1'));
      assert.deepEqual({ keys: choice.images.map(({ key }) => key), extra: choice.extra }, { keys, extra });
    });
  }

  it('that nobody knows are refused with those that there are', () => {
    assert.throws(() => chosenImages(['tensorflow-gpu'], images('1')), {
      message: 'There is no image "tensorflow-gpu": name some of operator, wasm, tensorflow, or none.',
    });
  });

  it('are listed with their sizes', () => {
    const table = sizeTable([
      { name: 'a:1', bytes: 411_400_000 },
      { name: 'longer:1', bytes: 1_500_000_000 },
    ]);
    assert.equal(table, 'a:1        411 MB\nlonger:1  1500 MB');
  });
});
