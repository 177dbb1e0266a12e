import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { ModelFailure } from '../../failures.ts';
import { readModelContent } from '../model-content.ts';
import { parseModelUri } from '../model-uri.ts';
import { denseFiles, temporaryFolder, writeFiles } from '../test-support/tiny-models.ts';
import { configMapSource } from './config-map-source.ts';
import { fileSource, mapRoot } from './file-source.ts';
import type { ModelSource } from './model-source.ts';

const never = new AbortController().signal;

async function read(source: ModelSource, uri: string) {
  const location = await source.fetch(parseModelUri(uri), {
    digest: undefined,
    onProgress: () => undefined,
    signal: never,
  });
  return readModelContent(location, never);
}

describe('the file source', () => {
  it('reads a folder, and a .json file of any name with the same digest', async () => {
    await using folder = await temporaryFolder({ ...denseFiles(), 'dense.json': denseFiles()['model.json'] ?? '' });
    const uri = pathToFileURL(folder.path).href;
    const whole = await read(fileSource({}), uri);
    assert.deepEqual(whole.paths, ['model.json', 'weights.bin']);
    assert.equal((await read(fileSource({}), `${uri}/`)).digest, whole.digest);
    assert.equal((await read(fileSource({}), `${uri}/dense.json`)).digest, whole.digest);
  });

  it('finds a path below the root that takes its place', async () => {
    await using folder = await temporaryFolder();
    await writeFiles(join(folder.path, 'dense/model'), denseFiles());
    const content = await read(fileSource({ '/examples': folder.path }), 'file:///examples/dense/model');
    assert.equal(content.format, 'LayersModel');
  });

  const mappings: { because: string; path: string; roots: Record<string, string>; mapped: string }[] = [
    { because: 'no root fits', path: '/models/a', roots: { '/examples': '/clone' }, mapped: '/models/a' },
    { because: 'the root itself', path: '/examples', roots: { '/examples': '/clone' }, mapped: '/clone' },
    { because: 'the longest wins', path: '/a/b/c', roots: { '/a': '/x', '/a/b': '/y' }, mapped: '/y/c' },
    { because: 'a name is whole', path: '/examples2/a', roots: { '/examples': '/clone' }, mapped: '/examples2/a' },
    { because: 'a root may end in a slash', path: '/a/b', roots: { '/a/': '/x' }, mapped: '/x/b' },
  ];
  for (const { because, path, roots, mapped } of mappings) {
    it(`maps ${path} to ${mapped}: ${because}`, () => assert.equal(mapRoot(path, roots), mapped));
  }

  it('refuses a link in the folder of a model, and follows one to it', async () => {
    await using folder = await temporaryFolder();
    await writeFiles(join(folder.path, 'real'), denseFiles());
    await symlink('real', join(folder.path, 'latest'));
    const uri = pathToFileURL(join(folder.path, 'latest')).href;
    assert.equal((await read(fileSource({}), uri)).format, 'LayersModel');
    await rename(join(folder.path, 'real/weights.bin'), join(folder.path, 'moved.bin'));
    await symlink('../moved.bin', join(folder.path, 'real/weights.bin'));
    await rejects(read(fileSource({}), uri), 'InvalidModel', /weights\.bin is a symbolic link/);
  });

  it('does not wait for a writer where a pipe lies in place of a file', async () => {
    await using folder = await temporaryFolder(denseFiles());
    await rm(join(folder.path, 'weights.bin'));
    await promisify(execFile)('mkfifo', [join(folder.path, 'weights.bin')]);
    await rejects(read(fileSource({}), pathToFileURL(folder.path).href), 'InvalidModel', /is not a regular file/);
  });

  const refusals: { uri: string; reason: string; message: RegExp }[] = [
    { uri: 'file:///nowhere/at/all', reason: 'ModelNotFound', message: /there is no \/nowhere\/at\/all here/ },
    { uri: 'file://host/models', reason: 'InvalidConfig', message: /write file:\/\/\/ and the absolute path/ },
    { uri: 'file:///models/a.zip', reason: 'InvalidConfig', message: /names a \.zip file/ },
    { uri: 's3://bucket/a', reason: 'InvalidConfig', message: /has no scheme that this server reads/ },
    { uri: '/models/a', reason: 'InvalidConfig', message: /write file:\/\/\/…/ },
    { uri: 'file:///models/a\nb', reason: 'InvalidConfig', message: /control character/ },
  ];
  for (const { uri, reason, message } of refusals) {
    it(`refuses ${JSON.stringify(uri)}`, () => rejects(async () => read(fileSource({}), uri), reason, message));
  }
});

describe('the ConfigMap source', () => {
  it('reads a ConfigMap as the kubelet mounts it', async () => {
    await using folder = await temporaryFolder();
    const mount = join(folder.path, 'dense');
    await writeFiles(join(mount, '..2026_01_01_00_00_00.1'), denseFiles());
    await symlink('..2026_01_01_00_00_00.1', join(mount, '..data'));
    for (const key of Object.keys(denseFiles())) await symlink(`..data/${key}`, join(mount, key));
    const source = configMapSource(folder.path);
    assert.deepEqual((await read(source, 'configmap://dense')).paths, ['model.json', 'weights.bin']);
    assert.deepEqual((await read(source, 'configmap://dense/model.json')).paths, ['model.json', 'weights.bin']);
  });

  it('reads a plain folder, as on a laptop', async () => {
    await using folder = await temporaryFolder();
    await writeFiles(join(folder.path, 'dense'), denseFiles());
    assert.equal((await read(configMapSource(folder.path), 'configmap://dense')).format, 'LayersModel');
  });

  it('says what is missing', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'empty'));
    const source = configMapSource(folder.path);
    await rejects(read(source, 'configmap://other'), 'ModelNotFound', /no ConfigMap is mounted at/);
    await rejects(read(source, 'configmap://empty'), 'ModelNotFound', /There is no model\.json/);
    await rejects(read(source, 'configmap://../up'), 'InvalidConfig', /write configmap:\/\/name/);
  });
});

async function rejects(promise: Promise<unknown> | (() => Promise<unknown>), reason: string, message: RegExp) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof ModelFailure, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, message);
    return true;
  });
}
