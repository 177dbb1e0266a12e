import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { z } from 'zod';
import { ModelFailure } from '../failures.ts';
import { temporaryFolder } from '../model/test-support/tiny-models.ts';
import { readConfig } from './read-config.ts';
import { ServerConfigSchema } from './server-config.ts';

const minimal = { version: 1, models: [{ name: 'm', uri: 'file:///m' }] };

describe('readConfig', () => {
  it('fills in the defaults that config.schema.json names', async () => {
    const { config, warnings } = await readConfig({ inline: JSON.stringify(minimal), file: undefined });
    assert.deepEqual(warnings, []);
    assert.deepEqual(config, {
      version: 1,
      server: {
        host: '0.0.0.0',
        port: 8080,
        metricsPort: 8082,
        logLevel: 'Info',
        requireGPU: false,
        maxRequestBytes: 67_108_864,
        drainTimeoutMs: 30_000,
        configMapDir: '/mnt/configmaps',
        fileRoots: {},
        failFast: true,
        terminationMessagePath: '/dev/termination-log',
      },
      models: [{ name: 'm', uri: 'file:///m' }],
    });
  });

  it('takes the file before the environment', async () => {
    await using folder = await temporaryFolder({ 'config.json': JSON.stringify({ version: 1, models: [] }) });
    const file = join(folder.path, 'config.json');
    assert.deepEqual((await readConfig({ inline: JSON.stringify(minimal), file })).config.models, []);
  });

  it('warns of fields that it does not know, and goes on', async () => {
    const config = {
      version: 1,
      models: [{ ...minimal.models[0], colours: { maxBatchSize: 32 } }],
      server: { shade: 1, fileRoots: { '/examples': '/x' } },
      colour: 1,
    };
    const { warnings } = await readConfig({ inline: JSON.stringify(config), file: undefined });
    assert.deepEqual(
      warnings,
      ['models[0].colours', 'server.shade', 'colour'].map(
        (field) => `MODELSERVICE_CONFIG has the field ${field}, which this version does not know`,
      ),
    );
  });

  const refusals: { because: string; inline: string | undefined; file?: string; message: RegExp }[] = [
    {
      because: 'there is none',
      inline: undefined,
      message: /set MODELSERVICE_CONFIG to its JSON, or start it with --config FILE/,
    },
    { because: 'it is no JSON', inline: '{', message: /^MODELSERVICE_CONFIG is not valid JSON/ },
    {
      because: 'the file is missing',
      inline: undefined,
      file: '/nowhere.json',
      message: /^Could not read --config \/nowhere\.json/,
    },
    {
      because: 'a port is no number',
      inline: JSON.stringify({ ...minimal, server: { port: '80' } }),
      message: /server\.port: /,
    },
    {
      because: 'a model has no URI',
      inline: JSON.stringify({ version: 1, models: [{ name: 'm' }] }),
      message: /models\[0\]\.uri: /,
    },
    {
      because: 'the version is of another form',
      inline: JSON.stringify({ ...minimal, version: 2 }),
      message: /: version: /,
    },
    { because: 'it is a list', inline: '[]', message: /the whole: / },
    {
      because: 'a name comes twice',
      inline: JSON.stringify({ version: 1, models: [...minimal.models, ...minimal.models] }),
      message: /models has the name "m" twice/,
    },
  ];
  for (const { because, inline, file, message } of refusals) {
    it(`refuses a configuration: ${because}`, () =>
      assert.rejects(readConfig({ inline, file }), (error) => {
        assert.ok(error instanceof ModelFailure);
        assert.equal(error.reason, 'InvalidConfig');
        assert.match(error.message, message);
        return true;
      }));
  }
});

describe('ServerConfigSchema', () => {
  it('is what config.schema.json says, but for descriptions', () => {
    const published = JSON.parse(readFileSync(new URL('../../config.schema.json', import.meta.url), 'utf8'));
    const { Server, Model, Batching } = published.$defs;
    const model = { ...Model, properties: { ...Model.properties, batching: Batching } };
    const own = z.toJSONSchema(ServerConfigSchema, { io: 'input' });
    assert.deepEqual(
      plain(own),
      plain({
        ...published,
        properties: { ...published.properties, server: Server, models: { type: 'array', items: model } },
      }),
    );
  });
});

/** The constraints of a schema alone, in one form: an integer's widest bounds and a key's type say nothing. */
function plain(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== 'object' || schema === null) return schema;
  const ignored = ['description', 'title', '$schema', '$id', '$defs', 'default', 'propertyNames'];
  const entries = Object.entries(schema)
    .filter(([key, value]) => !ignored.includes(key) && value !== Number.MAX_SAFE_INTEGER)
    // An enumeration or a constant of strings is a string, said or not.
    .filter(([key]) => key !== 'type' || !('enum' in schema || 'const' in schema))
    .map(([key, value]) => [key, plain(value)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}
