import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { helpText, readConfig, SETTINGS } from './config.ts';
import { ConfigError, variableOf } from './runtime/settings.ts';

describe('readConfig', () => {
  it('has a default for everything', () => {
    assert.deepEqual(readConfig([], {}), {
      watchNamespaces: [],
      images: {
        wasm: 'modelservice-server:0.1.0-wasm',
        tensorflow: 'modelservice-server:0.1.0-tensorflow',
        tensorflowGPU: undefined,
      },
      logLevel: 'info',
      workers: 4,
      gateway: undefined,
      leaderElection: {
        lease: { namespace: 'default', name: 'modelservice-operator' },
        leaseDurationMs: 15_000,
        renewDeadlineMs: 10_000,
        retryPeriodMs: 2_000,
      },
      metrics: { provider: 'builtin', scaler: { kind: 'stock' }, apiService: undefined },
      bindAddress: undefined,
      healthPort: 8081,
      metricsPort: 8080,
      watchSilenceTimeoutMs: 90_000,
    });
  });

  it('reads every setting from a variable of the same name as its flag, and the flag wins', () => {
    const env = { MODELSERVICE_WATCH_NAMESPACES: 'a,b', MODELSERVICE_WATCH_SILENCE_TIMEOUT: '5s' };
    const config = readConfig(['--watch-namespaces=c'], env);
    assert.ok(config !== 'help');
    assert.deepEqual([config.watchNamespaces, config.watchSilenceTimeoutMs], [['c'], 5_000]);
  });

  it('reads of the gateway only where it is named', () => {
    const config = readConfig(['--gateway-name=gate', '--gateway-namespace=here', '--gateway-replicas=3'], {});
    assert.ok(config !== 'help');
    assert.deepEqual(config.gateway, {
      namespace: 'here',
      name: 'gate',
      selector: 'app.kubernetes.io/name=modelservice-operator-gateway',
      replicas: 3,
    });
  });

  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--workers=many'], /--workers \(or MODELSERVICE_WORKERS\) is "many": write a number/],
    [['--log-level=loud'], /--log-level .* is "loud": write debug, info, warn or error/],
    [['--health-port=http'], /--health-port .* is "http": write a port number/],
    [['--watch-silence-timeout=1.5s'], /--watch-silence-timeout .* write a duration such as 90s/],
    [['--server-image-wasm='], /--server-image-wasm .* write the name of an image/],
    [['--metrics-provider=keda'], /--prometheus-url: KEDA asks Prometheus/],
    [['--gateway-replicas=none'], /--gateway-replicas .* is "none": write a number/],
    [['--no-such-flag=1'], /--no-such-flag.*--help lists the flags/],
    [['left-over'], /left-over.*--help lists the flags/],
  ];
  for (const [args, message] of wrong) {
    it(`refuses ${args.join(' ')}, naming the flag and the fix`, () => {
      assert.throws(
        () => readConfig(args, {}),
        (error) => error instanceof ConfigError && message.test(error.message),
      );
    });
  }

  it('lists every flag and variable in its help', () => {
    assert.equal(readConfig(['--help'], {}), 'help');
    for (const setting of Object.values(SETTINGS)) {
      assert.ok(helpText().includes(`--${setting.flag}=`));
      assert.ok(helpText().includes(variableOf(setting)));
    }
  });
});
