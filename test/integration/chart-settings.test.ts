import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type OperatorConfig, readConfig, SETTINGS } from '../../operator/src/config.ts';
import { variableOf } from '../../operator/src/runtime/settings.ts';
import { type DeploymentSpec, operatorDeployment, renderChart } from './support/chart.ts';

/** What a cluster has no use for: the chart's ports are the probes' and the Service's, and the rest is for tests. */
const NOT_IN_THE_CHART = ['bind-address', 'health-port', 'leader-elect', 'metrics-port', 'watch-silence-timeout'];

const LEASE = { namespace: 'default', name: 'ms-modelservice-operator' };

/** Outside of a cluster there is none. */
const GATEWAY = {
  namespace: 'default',
  name: 'ms-modelservice-operator-gateway',
  selector: 'app.kubernetes.io/name=modelservice-operator-gateway,app.kubernetes.io/instance=ms',
  replicas: 2,
};

describe('the settings of the operator', () => {
  it('have the same defaults in the chart as without it', async () => {
    // But for names of its own.
    const config = readConfig([], {}) as OperatorConfig;
    const metrics = { ...config.metrics, apiService: 'default/ms-modelservice-operator-metrics-api' };
    assert.deepEqual(readConfig(await argsFor({ gateway: { replicas: 2 } }), {}), {
      ...config,
      leaderElection: { ...config.leaderElection, lease: LEASE },
      metrics,
      gateway: GATEWAY,
    });
  });

  const values = {
    watchNamespaces: ['team-a', 'team-b'],
    server: { images: { wasm: 'w:1', tensorflow: 't:1', tensorflowGPU: 'g:1' } },
    gateway: { replicas: 3 },
    logLevel: 'debug',
    workers: 7,
    leaderElection: { leaseDuration: '30s', renewDeadline: '20s', retryPeriod: '3s' },
    metrics: { provider: 'keda', prometheusUrl: 'http://prometheus:9090', prometheusMaxAge: '1m' },
  };
  const config: Partial<OperatorConfig> = {
    watchNamespaces: ['team-a', 'team-b'],
    images: { wasm: 'w:1', tensorflow: 't:1', tensorflowGPU: 'g:1' },
    gateway: { ...GATEWAY, replicas: 3 },
    logLevel: 'debug',
    workers: 7,
    leaderElection: { lease: LEASE, leaseDurationMs: 30_000, renewDeadlineMs: 20_000, retryPeriodMs: 3000 },
    metrics: {
      provider: 'keda',
      scaler: { kind: 'keda', prometheusUrl: 'http://prometheus:9090', maxAgeMs: 60_000 },
      apiService: undefined,
    },
  };

  it('are each a value of the chart, which reaches the operator', async () => {
    assert.deepEqual(readConfig(await argsFor(values), {}), { ...(readConfig([], {}) as OperatorConfig), ...config });
  });

  it('are all in the chart, but for those that a cluster has no use for', async () => {
    const rendered = [...(await argsFor(values)), '--metrics-api-service=with/builtin'].map((arg) =>
      arg.replace(/^--([^=]+)=.*$/s, '$1'),
    );
    const flags = Object.values(SETTINGS).map(({ flag }) => flag);
    assert.deepEqual([...rendered, ...NOT_IN_THE_CHART].sort(), flags.toSorted());
  });

  it('are read from the environment variable of each flag as well', async () => {
    const args = await argsFor(values);
    const env = Object.fromEntries(
      args.map((arg) => {
        const [, flag = '', value = ''] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
        return [variableOf({ flag, help: '', default: '' }), value];
      }),
    );
    assert.ok('MODELSERVICE_SERVER_IMAGE_TENSORFLOW_GPU' in env);
    assert.deepEqual(readConfig([], env), readConfig(args, {}));
  });

  it('put the registry before each image', async () => {
    const { images } = readConfig(await argsFor({ imageRegistry: 'registry.example.com/team/' }), {}) as OperatorConfig;
    assert.match(images.wasm, /^registry\.example\.com\/team\/modelservice-server:/);
    assert.equal(images.tensorflowGPU, undefined);
  });
});

/** What the chart starts the operator with. */
async function argsFor(values: Record<string, unknown>): Promise<readonly string[]> {
  // As the chart's default is, where the suites otherwise have none.
  const metrics = { provider: 'builtin', ...(values.metrics as object | undefined) };
  const objects = await renderChart({ release: 'ms', namespace: 'default', values: { ...values, metrics } });
  const deployment = operatorDeployment(objects);
  return (deployment.spec as DeploymentSpec).template.spec.containers[0]?.args ?? [];
}
