import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'mocha';
import { request } from 'undici';
import { startServer, temporaryFolder, writeLineModel } from '../process-test-support.ts';

/** `name type labels`, for each row of the table in docs/metrics.md. */
async function documented(): Promise<readonly string[]> {
  const text = await readFile(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const rows = text.matchAll(/^\| `(modelservice_\w+)` \| (\w+) \| ([^|]*) \|/gm);
  return [...rows].map(([, name, type, more = '']) => {
    const labels = ['model', 'version', ...[...more.matchAll(/`(\w+)`/g)].map(([, label]) => label)];
    return `${name} ${type} ${labels.sort().join(',')}`;
  });
}

/** The same of what a server exposes. */
function exposed(text: string): readonly string[] {
  const types = [...text.matchAll(/^# TYPE (modelservice_\w+) (\w+)$/gm)];
  return types.map(([, name, type]) => {
    const sample = new RegExp(`^${name}(?:_bucket)?\\{(.*)\\} `, 'm').exec(text)?.[1] ?? '';
    const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    return `${name} ${type} ${labels.sort().join(',')}`;
  });
}

describe('docs/metrics.md', () => {
  it('lists what a running server exposes, and nothing else', async () => {
    await using folder = await temporaryFolder();
    const uri = await writeLineModel(folder.path, 0.5);
    const batching = { maxBatchSize: 4, maxDelayMs: 2, maxQueueSize: 16 };
    await using server = startServer({
      version: 1,
      server: { host: '127.0.0.1', port: 0, metricsPort: 0, engineThreads: 1 },
      models: [{ name: 'line', uri, engine: 'JavaScript', batching }],
    });
    const { url, metricsUrl } = await server.listening();
    await server.phase('line', 'Ready');
    const answer = await request(`${url}/v1/models/line:predict`, { method: 'POST', body: '{"instances":[[4]]}' });
    assert.deepEqual([answer.statusCode, await answer.body.json()], [200, { predictions: [[4]] }]);
    const text = await (await request(`${metricsUrl}/metrics`)).body.text();
    assert.deepEqual([...exposed(text)].sort(), [...(await documented())].sort());
  }).timeout(60_000);
});
