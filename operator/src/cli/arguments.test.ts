import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { parseArguments } from './arguments.ts';

const DEFAULTS = { command: 'run', host: '127.0.0.1', port: 8080, metricsPort: 8082, engine: undefined };

describe('parseArguments', () => {
  const understood = [
    { argv: [], is: { command: 'help' } },
    { argv: ['--help'], is: { command: 'help' } },
    { argv: ['run', '-h'], is: { command: 'help' } },
    { argv: ['--version'], is: { command: 'version' } },
    { argv: ['run', '-f', 'examples'], is: { ...DEFAULTS, paths: ['examples'] } },
    { argv: ['run', '-f', 'a.yaml', 'b.yaml', '-f', 'c'], is: { ...DEFAULTS, paths: ['a.yaml', 'c', 'b.yaml'] } },
    {
      argv: ['run', '-f', 'a', '--host', '0.0.0.0', '--port', '0', '--metrics-port=9000', '--engine', 'wasm'],
      is: { ...DEFAULTS, paths: ['a'], host: '0.0.0.0', port: 0, metricsPort: 9000, engine: 'Wasm' },
    },
    { argv: ['plan', '--help'], is: { command: 'help' } },
    {
      argv: ['plan', '-n', 'a', '--namespace=b', '--server-image-wasm=mine:2'],
      is: {
        command: 'plan',
        namespaces: ['a', 'b'],
        images: { wasm: 'mine:2', tensorflow: 'modelservice-server:0.1.0-tensorflow' },
      },
    },
    { argv: ['digest', 'npm:a@1.0.0/b'], is: { command: 'digest', args: ['npm:a@1.0.0/b'] } },
  ];
  for (const { argv, is } of understood) {
    it(`understands "modelservice ${argv.join(' ')}"`, () => assert.deepEqual({ ...parseArguments(argv) }, is));
  }

  const refused = [
    { argv: ['serve'], says: /"serve" is no command: write run, digest, plan/ },
    { argv: ['run'], says: /-f FILE/ },
    { argv: ['run', '-f', 'a', '--prot', '80'], says: /--prot/ },
    { argv: ['run', '-f', 'a', '--port', '80a'], says: /--port takes a number from 0 to 65535, not "80a"/ },
    { argv: ['run', '-f', 'a', '--metrics-port', '70000'], says: /--metrics-port takes a number/ },
    { argv: ['plan', '--server-image-wasm', 'a b'], says: /--server-image-wasm takes an image/ },
    { argv: ['plan', 'a'], says: /^plan: / },
    { argv: ['run', '-f', 'a', '--engine', 'gpu'], says: /--engine takes one of .*Wasm/ },
  ];
  for (const { argv, says } of refused) {
    it(`refuses "modelservice ${argv.join(' ')}" and says what to write`, () =>
      assert.throws(() => parseArguments(argv), { name: 'UsageError', message: says }));
  }
});
