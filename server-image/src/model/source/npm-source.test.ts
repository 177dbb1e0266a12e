import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { defaultUrl } from 'registry-url';
import { create } from 'tar';
import { ModelFailure } from '../../failures.ts';
import { readModelContent } from '../model-content.ts';
import { parseModelUri } from '../model-uri.ts';
import { type LoopbackServer, loopbackServer } from '../test-support/model-server.ts';
import { halfPlusTwoFiles, temporaryFolder, writeFiles } from '../test-support/tiny-models.ts';
import { downloadDispatcher } from './download.ts';
import { ModelStore } from './model-store.ts';
import { npmSource } from './npm-source.ts';

const never = new AbortController().signal;

describe('the npm source', () => {
  let cache: Awaited<ReturnType<typeof temporaryFolder>>;
  let tarball: Buffer;
  let registry: LoopbackServer;
  /** What the registry says of the one version that there is. */
  let dist: Record<string, string>;
  let body: Buffer;
  const authorizations: (string | undefined)[] = [];

  before(async () => {
    tarball = await pack();
  });
  beforeEach(async () => {
    cache = await temporaryFolder();
    body = tarball;
    authorizations.length = 0;
    registry = await loopbackServer((request, response) => {
      authorizations.push(request.headers.authorization);
      if (request.url === '/npm/@scope%2fmodels' || request.url === '/npm/models') {
        response.end(JSON.stringify({ name: '@scope/models', versions: { '1.2.3': { dist } } }));
      } else if (request.url?.endsWith('/models-1.2.3.tgz')) response.end(body);
      else response.writeHead(404).end('{}');
    });
    dist = {
      tarball: `${registry.url}/npm/models/-/models-1.2.3.tgz`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    };
  });
  afterEach(async () => {
    await registry[Symbol.asyncDispose]();
    await cache[Symbol.asyncDispose]();
  });

  const dispatcher = downloadDispatcher();
  after(() => dispatcher.destroy());

  async function fetch(uri: string) {
    const context = { dispatcher, sleep: async () => undefined };
    const source = npmSource(new ModelStore(cache.path), context, { url: `${registry.url}/npm/`, token: 'secret' });
    const location = await source.fetch(parseModelUri(uri), {
      digest: undefined,
      onProgress: () => undefined,
      signal: never,
    });
    return readModelContent(location, never);
  }

  for (const uri of [
    'npm:@scope/models@1.2.3/a/half',
    'npm:models@1.2.3/a/half/',
    'npm:models@1.2.3/a/half/half.json',
  ]) {
    it(`fetches ${uri}`, async () => {
      const content = await fetch(uri);
      assert.deepEqual(content.paths, ['model.json', 'shards/weights.bin']);
      assert.deepEqual([...new Float32Array(content.weights.slice(0))], [0.5, 2]);
    });
  }

  it('fetches a model from the top of a package', async () => {
    assert.deepEqual((await fetch('npm:models@1.2.3')).paths, ['model.json', 'shards/weights.bin']);
  });

  it('sends its token to the registry, and asks nothing for a version that it has', async () => {
    const first = await fetch('npm:models@1.2.3/a/half');
    assert.deepEqual(authorizations, ['Bearer secret', 'Bearer secret']);
    registry.requests.length = 0;
    assert.equal((await fetch('npm:models@1.2.3/a/half')).digest, first.digest);
    assert.deepEqual(registry.requests, []);
  });

  it('takes the tarball from the mirror where the document names the public registry', async () => {
    dist = { ...dist, tarball: new URL('models/-/models-1.2.3.tgz', defaultUrl).href };
    await fetch('npm:models@1.2.3/a/half');
    assert.deepEqual(registry.requests, ['GET /npm/models', 'GET /npm/models/-/models-1.2.3.tgz']);
  });

  it('checks the sha1 of an old package', async () => {
    dist = { tarball: dist.tarball ?? '', shasum: createHash('sha1').update(tarball).digest('hex') };
    await fetch('npm:models@1.2.3/a/half');
  });

  const failures: { because: string; uri?: string; prepare?: () => void; reason: string; message: RegExp }[] = [
    {
      because: 'the tarball is not the one that was published',
      prepare: () => {
        body = Buffer.from(tarball);
        body[body.length - 9] = (body[body.length - 9] ?? 0) ^ 1;
      },
      reason: 'FetchFailed',
      message: /is damaged or was exchanged: its sha512 is/,
    },
    {
      because: 'the registry gives no hash',
      prepare: () => {
        dist = { tarball: dist.tarball ?? '' };
      },
      reason: 'FetchFailed',
      message: /has no integrity hash/,
    },
    {
      because: 'no such package',
      uri: 'npm:nothing@1.2.3/a',
      reason: 'ModelNotFound',
      message: /has no package nothing$/,
    },
    {
      because: 'no such version',
      uri: 'npm:models@9.9.9/a',
      reason: 'ModelNotFound',
      message: /has no version 9\.9\.9/,
    },
    {
      because: 'no such folder',
      uri: 'npm:models@1.2.3/b',
      reason: 'ModelNotFound',
      message: /models@1\.2\.3 has no file b\/model\.json$/,
    },
    {
      because: 'a link in the package is no file',
      uri: 'npm:models@1.2.3/link',
      reason: 'ModelNotFound',
      message: /has no file link\/model\.json/,
    },
    {
      because: 'the version is a range',
      uri: 'npm:models@^1.2.3/a',
      reason: 'InvalidConfig',
      message: /which is not exact/,
    },
    {
      because: 'the version is a tag',
      uri: 'npm:models@latest/a',
      reason: 'InvalidConfig',
      message: /which is not exact/,
    },
    {
      because: 'the path leads out',
      uri: 'npm:models@1.2.3/a/../../b',
      reason: 'InvalidConfig',
      message: /leads out of the package/,
    },
    {
      because: 'there is no version',
      uri: 'npm:models/a',
      reason: 'InvalidConfig',
      message: /write npm:package@1\.2\.3\/path/,
    },
  ];
  for (const { because, uri = 'npm:models@1.2.3/a/half', prepare, reason, message } of failures) {
    it(`fails with ${reason}: ${because}`, async () => {
      prepare?.();
      await assert.rejects(fetch(uri), (error) => {
        assert.ok(error instanceof ModelFailure, String(error));
        assert.equal(error.reason, reason, error.message);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

/** A package as npm packs it, with a link besides. */
async function pack(): Promise<Buffer> {
  await using folder = await temporaryFolder();
  const half = halfPlusTwoFiles();
  const at = (prefix: string) =>
    Object.fromEntries(Object.entries(half).map(([path, content]) => [`${prefix}${path}`, content]));
  await writeFiles(join(folder.path, 'package'), {
    ...at(''),
    ...at('a/half/'),
    'a/half/half.json': half['model.json'] ?? '',
    'a/half/README.md': 'not of the model',
    'package.json': JSON.stringify({ name: '@scope/models', version: '1.2.3' }),
  });
  await symlink('a/half', join(folder.path, 'package/link'));
  await create({ cwd: folder.path, file: join(folder.path, 'package.tgz'), gzip: true, portable: true }, ['package']);
  return readFile(join(folder.path, 'package.tgz'));
}
