import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { buildFolder } from './go-build.ts';
import type { GoModule } from './go-modules.ts';

const MODULE = {
  minutes: 1,
  versionFrom: 'example.test/library',
  stamps: () => [],
};

describe('the folder of a Go build', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modelservice-go-'));
    await writeFile(join(folder, 'go.mod'), 'module example.test/own\n\nrequire example.test/library v1.2.3\n');
    await writeFile(join(folder, 'go.sum'), '');
    await mkdir(join(folder, 'part'));
    await writeFile(join(folder, 'main.go'), 'package main');
    await writeFile(join(folder, 'part', 'main.go'), 'package main');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const builtFrom = (source: string): GoModule => ({ ...MODULE, folder, binaries: [{ name: 'it', package: source }] });

  for (const [title, source, file, isAnother] of [
    ['is another when its own source is', 'example.test/own', 'main.go', true],
    ['is another when the source in a folder of the module is', 'example.test/own/part', 'part/main.go', true],
    ['is the same when a source changed that it is not built from', 'example.test/own', 'part/main.go', false],
    ['of a published package does not depend on sources here', 'example.test/library', 'main.go', false],
    ['does not depend on what is no Go', 'example.test/own', 'notes.txt', false],
  ] as const) {
    it(title, async () => {
      const before = await buildFolder(builtFrom(source), 'cache');
      await writeFile(join(folder, file), 'package main // changed');
      assert.equal((await buildFolder(builtFrom(source), 'cache')) !== before, isAnother);
    });
  }
});
