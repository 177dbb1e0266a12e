import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { before, describe, it } from 'mocha';
import { changedConfigMaps, laptopConfig } from './laptop-config.ts';
import { createManifestCheck, type ManifestCheck } from './manifest-schema.ts';
import { type ManifestSet, problemLine, readManifests } from './manifest-set.ts';
import { readManifest } from './read-manifest.ts';
import { REPOSITORY } from './repository.ts';

const HEAD = 'apiVersion: modelservice.dev/v1alpha1\nkind: ModelService\n';
const manifest = (name: string, spec = '') =>
  `${HEAD}metadata: { name: ${name} }\nspec:\n  model: { uri: "file:///models/${name}" }\n${spec}`;

describe('manifests', () => {
  let check: ManifestCheck;
  before(() => {
    check = createManifestCheck(load(readFileSync(REPOSITORY.crd, 'utf8')));
  });
  const read = (text: string, named = false) => readManifest({ path: '/m/a.yaml', text, named }, check);
  const render = (files: Record<string, string>, engine?: 'Wasm') => {
    const found = Object.entries(files).map(([path, text]) => ({ path, text, named: true }));
    const { contents, problems } = readManifests({ files: found, folders: [], missing: [] }, check, new Map());
    assert.deepEqual(problems, []);
    return laptopConfig([...contents.values()], { server: { port: 1 }, engine });
  };

  it('reads every document, and passes other kinds over', () => {
    const { content } = read(`${manifest('a')}\n---\nkind: Service\n---\n---\n${manifest('b')}`);
    assert.deepEqual(
      content?.services.map(({ metadata }) => metadata.name),
      ['a', 'b'],
    );
  });

  it('reads the items of a List', () => {
    const list = JSON.stringify({ kind: 'List', apiVersion: 'v1', items: [load(manifest('a'))] });
    assert.equal(read(list).content?.services.length, 1);
  });

  it('passes over what is no YAML in a folder, unless it speaks of ModelService', () => {
    assert.deepEqual(read('{{- if .Values.x }}').content?.services, []);
    assert.match(read(`${HEAD}a: [`).problems?.[0]?.message ?? '', /is no valid YAML/);
    assert.match(read('a: [', true).problems?.[0]?.message ?? '', /is no valid YAML/);
  });

  it('refuses a named file without a manifest, and another version of the API', () => {
    assert.match(read('a: 1', true).problems?.[0]?.message ?? '', /holds no manifest: write one with/);
    const other = manifest('a').replace('v1alpha1', 'v1');
    assert.deepEqual(read(other).problems, [
      { path: '/m/a.yaml', object: 'ModelService/a', field: 'apiVersion', message: 'write modelservice.dev/v1alpha1' },
    ]);
  });

  it('names file, object, field and fix in one line', () => {
    const [problem] = read(manifest('a', '  server: { engine: GPU }')).problems ?? [];
    assert.ok(problem);
    assert.equal(
      problemLine(problem),
      '/m/a.yaml, ModelService/a: spec.server.engine: Unsupported value: "GPU": supported values: "Auto", "TensorFlow", "Wasm", "JavaScript"',
    );
  });

  it('keeps what a file held before it was broken', () => {
    const good = { files: [{ path: 'a', text: manifest('a'), named: false }], folders: [], missing: [] };
    const first = readManifests(good, check, new Map());
    const broken = { ...good, files: [{ path: 'a', text: `${manifest('a')}  nonsense: 1`, named: false }] };
    const second = readManifests(broken, check, first.contents);
    assert.equal(second.problems[0]?.field, 'spec.nonsense');
    assert.deepEqual(second.contents, first.contents);
  });

  for (const { because, text } of [
    { because: 'emptied, as by a shell that begins to write it', text: '' },
    { because: 'broken so that it speaks of no ModelService', text: 'kind: [' },
    { because: 'left with other kinds only', text: 'kind: Service' },
  ]) {
    it(`keeps what a file of a folder held before it was ${because}`, () => {
      const set = (text: string, before: ManifestSet['contents']) =>
        readManifests({ files: [{ path: 'm.yaml', text, named: false }], folders: [], missing: [] }, check, before);
      const first = set(manifest('mnist'), new Map());
      const second = set(text, first.contents);
      assert.deepEqual(second.contents, first.contents);
      assert.match(
        second.problems.map(problemLine).join('\n'),
        /^m\.yaml: (holds no manifest: .*remove the file|is no valid YAML)/,
      );
    });
  }

  it('renders what the operator renders, with the CPU in place of a GPU', () => {
    const { config, notes } = render({ a: manifest('a', '  gpu: { count: 1 }\n  scaling: { minReplicas: 0 }') });
    assert.deepEqual(config.models, [
      { name: 'a', version: '1', uri: 'file:///models/a', format: 'Auto', engine: 'Auto' },
    ]);
    assert.match(notes.join(), /a asks for a GPU/);
    assert.equal(render({ a: manifest('a') }, 'Wasm').config.models[0]?.engine, 'Wasm');
  });

  it('does not serve what is suspended, and says so', () => {
    const { config, notes } = render({ a: manifest('a', '  suspend: true') });
    assert.deepEqual([config.models, notes], [[], ['a is not served: its manifest says "suspend: true"']]);
  });

  it('refuses two models of one name', () => {
    const { problems } = render({ 'a.yaml': manifest('a'), 'b.yaml': manifest('a') });
    assert.deepEqual(
      problems.map(({ path, field }) => [path, field]),
      [['b.yaml', 'metadata.name']],
    );
    assert.match(problems[0]?.message ?? '', /that of a\.yaml/);
  });

  it('finds the ConfigMap of a URI among the manifests, or says what to give', () => {
    const service = manifest('a').replace('file:///models/a', 'configmap://weights');
    const map =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: weights }\ndata: { model.json: "{}" }\nbinaryData: { w.bin: AAE= }';
    const { configMaps } = render({ a: `${service}\n---\n${map}` });
    assert.deepEqual(
      [...(configMaps[0]?.files ?? [])],
      [
        ['model.json', Buffer.from('{}')],
        ['w.bin', Buffer.from([0, 1])],
      ],
    );
    const changed = render({ a: `${service}\n---\n${map.replace('AAE=', 'AAI=')}` });
    const same = render({ a: `${service}\n---\n${map}` });
    assert.deepEqual([changedConfigMaps(same, changed), changedConfigMaps(same, same)], [['weights'], []]);
    assert.match(render({ a: service }).problems[0]?.message ?? '', /no ConfigMap "weights".*-f/);
  });

  for (const key of ['../x', '..', 'a/b']) {
    it(`refuses the ConfigMap key "${key}", which would become a file elsewhere`, () => {
      const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\ndata: { "${key}": x }`;
      assert.match(read(map).problems?.[0]?.message ?? '', /data\[/);
    });
  }
});
