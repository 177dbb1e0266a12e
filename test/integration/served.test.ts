import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { after, describe, it } from 'mocha';
import type { ServerConfig } from '../../operator/src/modelservice/server-config.generated.ts';
import { awaitCondition, awaitObject, field } from './support/children.ts';
import { eventually } from './support/eventually.ts';
import { awaitPods, reportReady } from './support/kubelet.ts';
import { applyManifest, type Manifest } from './support/manifests.ts';
import { useNamespace } from './support/namespaces.ts';
import { useOperator } from './support/suite-operator.ts';
import { testRun } from './support/test-run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Stands in for the pod's IP; only Linux has more than one loopback address. */
const POD_IP = process.platform === 'linux' ? `127.78.${randomInt(256)}.${randomInt(1, 255)}` : '127.0.0.1';

describe('The example, from its manifest to an answer', () => {
  const namespace = useNamespace('served');
  useOperator(() => ({ namespaces: [namespace()] }));
  let stopServer: (() => void) | undefined;
  after(() => stopServer?.());

  /** What a kubelet would do: runs the server as the pod says, with this clone's examples in place of the image's. */
  async function runServer(config: ServerConfig): Promise<void> {
    const server = { ...config.server, host: POD_IP, fileRoots: { '/examples': join(root, 'examples') } };
    const { guard } = testRun();
    const child = guard.run({
      command: process.execPath,
      args: [join(root, 'server-image/bin/server.js')],
      env: { ...process.env, MODELSERVICE_CONFIG: JSON.stringify({ ...config, server }) },
      logFile: join(guard.folder, 'server.log'),
    });
    stopServer = () => child.kill('SIGTERM');
    await eventually(() => fetch(`http://${POD_IP}:8080/v2/health/ready`), {
      because: 'the server has loaded the model',
      until: ({ status }) => status === 200,
    });
  }

  it('serves the digits with the config of its pod, and the status tells what is served', async () => {
    const manifest = load(await readFile(join(root, 'examples/mnist/modelservice.yaml'), 'utf8')) as Manifest;
    await applyManifest(namespace(), manifest);
    const [pod] = await awaitPods(namespace(), 'mnist', 1);
    assert.ok(pod);
    const text = field(pod, 'spec', 'containers', 0, 'env', 0, 'value');
    await runServer(JSON.parse(String(text)) as ServerConfig);
    const body = await readFile(join(root, 'examples/mnist/request.json'), 'utf8');
    const answer = await fetch(`http://${POD_IP}:8080/v2/models/mnist/infer`, { method: 'POST', body });
    assert.equal(answer.status, 200);

    await reportReady(pod, POD_IP);
    const named = { namespace: namespace(), name: 'mnist' };
    await awaitCondition(named, 'Ready', 'True', 'Serving');
    const object = await awaitObject('modelServices', named, {
      because: 'the status tells the digest that the server verified',
      until: (found) => field(found, 'status', 'models', 0, 'digest') !== undefined,
    });
    assert.equal(field(object, 'status', 'models', 0, 'digest'), field(manifest.spec, 'model', 'digest'));
    assert.equal(field(object, 'status', 'models', 0, 'format'), 'LayersModel');
    assert.match(String(field(object, 'status', 'models', 0, 'engine')), /^(TensorFlow|Wasm)$/);
  });
});
