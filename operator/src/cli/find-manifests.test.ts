import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { findManifests } from './find-manifests.ts';
import { makeWorkFolder } from './work-folder.ts';

describe('findManifests', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
    for (const path of [
      'b.yaml',
      'a/modelservice.yml',
      'a/model.json',
      'node_modules/x/m.yaml',
      '.git/m.yaml',
      '.m.yaml',
    ]) {
      await mkdir(join(folder, path, '..'), { recursive: true });
      await writeFile(join(folder, path), path);
    }
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('finds YAML in and below a folder, but not among packages and hidden files', async () => {
    const { files, folders } = await findManifests([folder]);
    assert.deepEqual(
      files.map(({ path, text, named }) => [path, text, named]),
      [
        [join(folder, 'a/modelservice.yml'), 'a/modelservice.yml', false],
        [join(folder, 'b.yaml'), 'b.yaml', false],
      ],
    );
    assert.deepEqual(folders, [folder, join(folder, 'a')]);
  });

  it('passes over links that lead to folders or nowhere', async () => {
    await symlink('a', join(folder, 'folder.yaml'));
    await symlink('loop.yaml', join(folder, 'loop.yaml'));
    await symlink('gone', join(folder, 'gone.yaml'));
    const { files, missing } = await findManifests([folder]);
    assert.deepEqual([files.length, missing], [2, []]);
  });

  it('takes a named file whatever its name, once, and tells what is not there', async () => {
    const json = join(folder, 'a/model.json');
    const { files, folders, missing } = await findManifests([json, json, join(folder, 'no.yaml')]);
    assert.deepEqual(
      files.map(({ path, named }) => [path, named]),
      [[json, true]],
    );
    assert.deepEqual([folders, missing], [[join(folder, 'a'), folder], [join(folder, 'no.yaml')]]);
  });
});

describe('makeWorkFolder', () => {
  it('lays a ConfigMap out as the kubelet does, and replaces it whole', async () => {
    const work = await makeWorkFolder();
    try {
      const current = (key: string) => readFile(join(work.configMapDir, 'm', '..data', key), 'utf8');
      await work.writeConfigMap({
        name: 'm',
        files: new Map([
          ['a', Buffer.from('1')],
          ['b', Buffer.from('1')],
        ]),
      });
      assert.equal(await current('b'), '1');
      await work.writeConfigMap({ name: 'm', files: new Map([['a', Buffer.from('2')]]) });
      assert.equal(await current('a'), '2');
      await assert.rejects(current('b'), { code: 'ENOENT' });
    } finally {
      await work.remove();
    }
  });
});
