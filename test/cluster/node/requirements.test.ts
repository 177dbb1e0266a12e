import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { nodeObstacle } from './requirements.ts';

describe('nodeObstacle', () => {
  it('says in a few words what a node needs and this machine lacks', async () => {
    assert.match(
      (await nodeObstacle([])) ?? '',
      /^a node needs (Linux, and this is|root$|more software: apt-get install containerd )/,
    );
  });
});
