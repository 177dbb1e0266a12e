import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { tensorflowDirectory } from './tensorflow-location.ts';

describe('tensorflowDirectory', () => {
  const key = '2.21.0-tfjs-4.22.0-linux-x64-1';
  const cases = [
    { because: 'a home needs nothing set', env: {}, expected: `/home/ada/.cache/modelservice/tensorflow/${key}` },
    {
      because: 'XDG moves all caches',
      env: { XDG_CACHE_HOME: '/xdg' },
      expected: `/xdg/modelservice/tensorflow/${key}`,
    },
    {
      because: 'ours moves only our own',
      env: { XDG_CACHE_HOME: '/xdg', MODELSERVICE_CACHE_DIR: '/ours' },
      expected: `/ours/tensorflow/${key}`,
    },
    {
      because: 'an image names the folder itself',
      env: { MODELSERVICE_CACHE_DIR: '/ours', MODELSERVICE_TENSORFLOW_DIR: '/opt/tensorflow' },
      expected: '/opt/tensorflow',
    },
    {
      because: 'empty means unset',
      env: { XDG_CACHE_HOME: '' },
      expected: `/home/ada/.cache/modelservice/tensorflow/${key}`,
    },
  ];
  for (const { because, env, expected } of cases) {
    it(`is ${expected}, because ${because}`, () => {
      assert.equal(tensorflowDirectory({ env, home: '/home/ada', platform: 'linux', arch: 'x64' }), expected);
    });
  }
});
