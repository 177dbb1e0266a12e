import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { load } from 'js-yaml';
import { before, describe, it } from 'mocha';
import { request } from 'undici';
import { eventually } from '../integration/support/eventually.ts';
import { kubectl } from '../integration/support/kubectl.ts';
import { useNamespace } from '../integration/support/namespaces.ts';
import { RESOURCES } from '../integration/support/resource-types.ts';
import { testApi } from '../integration/support/test-run.ts';
import { CHART, installChart, showClusterAfterFailure, uninstallChart } from './support/installed-chart.ts';
import { impatientAgent, MNIST_DIGIT, MNIST_MANIFEST, predict } from './support/mnist.ts';
import { clusterUrl, getModelService, hasCondition, podsOf, untilGone, untilServing } from './support/observed.ts';
import { Timeline } from './support/timeline.ts';

describe('on an empty cluster', () => {
  const models = useNamespace('models');
  const mnist = () => ({ namespace: models(), name: 'mnist' });
  showClusterAfterFailure();

  before('nothing of another suite is left, and the strictest pod security is enforced', async () => {
    await uninstallChart();
    for (const what of ['customresourcedefinition/modelservices.modelservice.dev', `namespace/${CHART.namespace}`]) {
      await kubectl(['delete', what, '--ignore-not-found', '--timeout=120s']);
    }
    await kubectl(['create', 'namespace', CHART.namespace]);
    for (const namespace of [CHART.namespace, models()]) {
      await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    }
  });

  it('a prediction comes from helm install and kubectl apply alone', async () => {
    const timeline = new Timeline();
    await installChart();
    timeline.mark('the chart is installed, the operator and the metrics API are ready');
    await kubectl(['apply', '--namespace', models(), '--filename', MNIST_MANIFEST]);
    timeline.mark('the manifest is applied');

    const pod = async () => (await podsOf(mnist()))[0];
    await eventually(pod, { because: 'the pod is scheduled', until: (found) => found?.spec.nodeName !== undefined });
    timeline.mark('the pod is scheduled');
    const loaded = await eventually(modelLoadedAt, { because: 'the server says that it loaded the model' });
    timeline.mark(`the model is loaded (the server says ${loaded})`);
    await eventually(pod, {
      because: 'the pod is ready',
      until: (found) => found !== undefined && hasCondition(found, 'Ready'),
    });
    timeline.mark('the pod is ready');
    const url = await clusterUrl(mnist());
    const dispatcher = impatientAgent();
    const { digit } = await eventually(() => predict(url, 'mnist', { dispatcher }), { because: `${url} answers` });
    await dispatcher.close();
    timeline.mark('the first answer came through the ClusterIP');
    await untilServing(mnist());
    timeline.mark('the ModelService is Ready');
    console.log(timeline.toString().replace(/^/gm, '      '));
    assert.equal(digit, MNIST_DIGIT);
  });

  it('the status names the content and the engine that the server serves, and where', async () => {
    // The operator asks the server once it is ready, and writes a moment later than that.
    const { status } = await eventually(() => getModelService(mnist()), {
      because: 'the status tells what the server serves',
      until: (service) => service.status?.models?.[0]?.digest !== undefined,
    });
    assert.equal(status?.url, `http://mnist.${models()}.svc`);
    const answer = await request(`${await clusterUrl(mnist())}/v2/models/mnist`);
    const { parameters } = (await answer.body.json()) as { parameters: { digest: string; engine: string } };
    const manifest = load(await readFile(MNIST_MANIFEST, 'utf8')) as { spec: { model: { digest: string } } };
    assert.equal(parameters.digest, manifest.spec.model.digest);
    assert.partialDeepStrictEqual(status?.models, [
      { name: 'mnist', digest: parameters.digest, engine: parameters.engine },
    ]);
  });

  it('the server runs as nobody, writes nowhere but below its volumes, and holds no token', async () => {
    const [pod] = await podsOf(mnist());
    assert.ok(pod);
    const inside = await kubectl(['exec', '--namespace', models(), pod.metadata.name, '--', 'node', '-e', LOOK_AROUND]);
    assert.deepEqual(JSON.parse(inside), {
      user: 65532,
      group: 65532,
      capabilities: '0000000000000000',
      noNewPrivileges: '1',
      seccompFilters: '2',
      token: 'ENOENT',
      '/app': 'EROFS',
      '/examples': 'EROFS',
      '/tmp': 'written',
      '/var/cache/modelservice': 'written',
    });
  });

  it('deleting the ModelService ends its pods cleanly and leaves nothing of it', async () => {
    const names = new Set((await podsOf(mnist())).map(({ metadata }) => metadata.name));
    const timeline = new Timeline();
    await kubectl(['delete', 'modelservice', 'mnist', '--namespace', models(), '--timeout=60s']);
    timeline.mark('kubectl delete returned');
    await untilGone(mnist(), names);
    timeline.mark('the pods are gone');
    await eventually(leftOvers, {
      because: 'nothing is left of the ModelService',
      until: (left) => left.length === 0,
    });
    timeline.mark('nothing is left');
    console.log(timeline.toString().replace(/^/gm, '      '));
  });

  async function modelLoadedAt(): Promise<string> {
    const log = await kubectl(['logs', '--namespace', models(), '--selector=modelservice.dev/name=mnist', '--tail=-1']);
    const lines = log.split('\n').filter((line) => line.startsWith('{'));
    const loaded = lines.map((line) => JSON.parse(line) as { msg: string; time: string });
    const found = loaded.find(({ msg }) => msg === 'Loaded a model');
    if (found === undefined) throw new Error(`its log is ${log}`);
    return found.time;
  }

  async function leftOvers(): Promise<readonly string[]> {
    const labelSelector = 'modelservice.dev/name=mnist';
    const { deployments, replicaSets, pods, services, horizontalPodAutoscalers, modelServices } = RESOURCES;
    const types = [deployments, replicaSets, pods, services, horizontalPodAutoscalers];
    const found = await Promise.all([
      testApi().list(modelServices, { namespace: models() }),
      ...types.map((type) => testApi().list(type, { namespace: models(), labelSelector })),
    ]);
    return found.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  }
});

/** Runs inside the server's container: prints what the process may do there. */
const LOOK_AROUND = `
  const { readFileSync, writeFileSync, rmSync } = require('node:fs');
  const status = Object.fromEntries(readFileSync('/proc/1/status', 'utf8').split('\\n').map((line) => line.split(/:\\s+/)));
  const attempt = (action) => { try { action(); return 'written'; } catch (error) { return error.code; } };
  const write = (folder) => attempt(() => { writeFileSync(folder + '/probe', ''); rmSync(folder + '/probe'); });
  const folders = ['/app', '/examples', '/tmp', '/var/cache/modelservice'];
  console.log(JSON.stringify({
    user: process.getuid(),
    group: process.getgid(),
    capabilities: status.CapEff,
    noNewPrivileges: status.NoNewPrivs,
    seccompFilters: status.Seccomp,
    token: attempt(() => readFileSync('/var/run/secrets/kubernetes.io/serviceaccount/token')),
    ...Object.fromEntries(folders.map((folder) => [folder, write(folder)])),
  }));
`;
