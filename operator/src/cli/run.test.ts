import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { REPOSITORY } from './repository.ts';
import { startModelservice } from './run-test-support.ts';

const FREE_PORTS = ['--port', '0', '--metrics-port', '0'];
const SAMPLE_DIGIT = 7;
const MNIST = join(REPOSITORY.examples, 'mnist');
const sample = (name: string) => readFile(join(MNIST, name), 'utf8');

function manifest(name: string, version = '1', uri = 'file:///examples/mnist/model'): string {
  return `apiVersion: modelservice.dev/v1alpha1
kind: ModelService
metadata: { name: ${name} }
spec: { model: { uri: "${uri}", version: "${version}" }, server: { engine: JavaScript } }
`;
}

async function post(url: string, body: string): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

function digitOf(probabilities: readonly number[]): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

describe('modelservice', function () {
  this.timeout(60_000);
  let folder: string;
  const write = async (name: string, text: string): Promise<void> => {
    // As editors do: the file is replaced by another one.
    await writeFile(join(folder, `.${name}.new`), text);
    await rename(join(folder, `.${name}.new`), join(folder, name));
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'modelservice-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('serves the examples, which answer the right digit over both protocols, and ends with 0 on Ctrl-C', async () => {
    await using run = startModelservice(['run', '-f', REPOSITORY.examples, ...FREE_PORTS]);
    const [, url] = await run.printed(/^MODEL +VERSION +FORMAT +ENGINE +URL\nmnist +1 +LayersModel +\w+ +(http:\S+)$/m);
    assert.ok(url);
    await run.printed(/curl -s http:\S+\/v2\/models\/mnist\/infer -d @\S*examples\/mnist\/request\.json/);
    const v2 = await post(`${url}/infer`, await sample('request.json'));
    const [output] = v2.answer.outputs as { data: number[] }[];
    assert.equal(digitOf(output?.data ?? []), SAMPLE_DIGIT);
    const v1 = await post(url.replace('/v2/', '/v1/').concat(':predict'), await sample('request-tfserving.json'));
    const [row] = v1.answer.predictions as number[][];
    assert.equal(digitOf(row ?? []), SAMPLE_DIGIT);
    run.child.kill('SIGINT');
    run.child.kill('SIGINT');
    assert.equal(await run.ended(), 0, run.output());
  });

  it('follows edits without dropping a request, and goes on through a broken one', async () => {
    await write('mnist.yaml', manifest('mnist'));
    await using run = startModelservice(['run', '-f', folder, ...FREE_PORTS]);
    const [, url] = await run.printed(/^mnist +1 .* (http:\S+)$/m);
    assert.ok(url);
    const body = await sample('request.json');
    const load = keepAsking(() => post(`${url}/infer`, body));

    await write('mnist.yaml', manifest('mnist', '2'));
    await run.printed(/^mnist +2 /m);
    await load.until(({ answer }) => answer.model_version === '2');

    await write('mnist.yaml', manifest('mnist', '3').replace('JavaScript', 'Wsam'));
    await run.printed(/mnist\.yaml, ModelService\/mnist: spec\.server\.engine: .*"Wasm"/);
    await run.printed(/What was served before is served on/);

    await write('mnist.yaml', manifest('mnist', '4', 'file:///nowhere'));
    await run.printed(/^mnist +2 .*\nmnist is served as before.*ModelNotFound/m);

    await write('other.yaml', manifest('other'));
    await run.printed(/^other +1 /m);
    assert.equal((await post(url.replace('mnist', 'other').concat('/infer'), body)).status, 200);

    await rm(join(folder, 'other.yaml'));
    await run.printed(/^MODEL.*\nmnist +2 .*\nmnist is served as before/m);
    const gone = await post(url.replace('mnist', 'other').concat('/infer'), body);
    assert.deepEqual([gone.status, typeof gone.answer.error], [404, 'string']);

    const answers = await load.stop();
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    const versions = answers.map(({ answer }) => answer.model_version);
    assert.deepEqual([...new Set(versions)], ['1', '2'], 'the change took over once');
  });

  it('serves a model from a ConfigMap among the manifests', async () => {
    const [json, weights] = await Promise.all(
      ['model.json', 'weights.bin'].map((name) => readFile(join(MNIST, 'model', name))),
    );
    const binaryData = { 'model.json': json?.toString('base64'), 'weights.bin': weights?.toString('base64') };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'weights' }, binaryData };
    await write('mnist.yaml', `${manifest('mnist', '1', 'configmap://weights')}---\n${JSON.stringify(map)}\n`);
    await copyFile(join(MNIST, 'request.json'), join(folder, 'request.json'));
    await using run = startModelservice(['run', '-f', join(folder, 'mnist.yaml'), ...FREE_PORTS]);
    const [, url] = await run.printed(/^mnist +1 .* (http:\S+)$/m);
    assert.equal((await post(`${url}/infer`, await sample('request.json'))).status, 200);
  });

  it('prints the digest that the example pins, for the URI that its manifest has', async () => {
    await using digest = startModelservice(['digest', 'file:///examples/mnist/model']);
    const [printed = ''] = await digest.printed(/^sha256:[0-9a-f]{64}$/m);
    assert.ok((await sample('modelservice.yaml')).includes(`digest: ${printed}\n`));
    assert.equal(await digest.ended(), 0);
  });

  it('refuses wrong manifests with the field and the fix, and serves nothing', async () => {
    await write('good.yaml', manifest('good'));
    await write('bad.yaml', manifest('bad', 'v1'));
    await using run = startModelservice(['run', '-f', folder, ...FREE_PORTS]);
    assert.equal(await run.ended(), 1);
    assert.match(
      run.output(),
      /bad\.yaml, ModelService\/bad: spec\.model\.version: write an integer.*for example "2"\n$/,
    );
  });

  for (const { flag, other } of [
    { flag: '--port', other: '--metrics-port' },
    { flag: '--metrics-port', other: '--port' },
  ]) {
    it(`names ${flag} in one sentence when that port is taken`, async () => {
      await write('mnist.yaml', manifest('mnist'));
      const squatter = createServer().listen(0, '127.0.0.1');
      const { promise, resolve } = Promise.withResolvers<void>();
      squatter.on('listening', resolve);
      await promise;
      const address = squatter.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      try {
        await using run = startModelservice(['run', '-f', folder, flag, `${port}`, other, '0']);
        assert.equal(await run.ended(), 1);
        const said = run
          .output()
          .split('\n')
          .filter((line) => line.includes(`${port}`));
        assert.deepEqual(said.length, 1, run.output());
        assert.ok(said[0]?.startsWith(`Port ${port} is taken by another program`) && said[0].includes(`with ${flag} `));
      } finally {
        squatter.close();
      }
    });
  }
});

/** Asks again and again, four requests at a time. */
function keepAsking<Answer>(ask: () => Promise<Answer>) {
  const answers: Answer[] = [];
  let isStopped = false;
  let waiting: { fits: (answer: Answer) => boolean; resolve: () => void } | undefined;
  const loops = Array.from({ length: 4 }, async () => {
    while (!isStopped) {
      const answer = await ask();
      answers.push(answer);
      if (waiting?.fits(answer)) waiting.resolve();
    }
  });
  return {
    /** Resolves when an answer fits. */
    async until(fits: (answer: Answer) => boolean): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = { fits, resolve };
      await promise;
    },
    async stop(): Promise<readonly Answer[]> {
      isStopped = true;
      await Promise.all(loops);
      return answers;
    },
  };
}
