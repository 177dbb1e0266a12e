import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'mocha';
import { addressBlock, freeBlocks } from './address-block.ts';

describe('freeBlocks', () => {
  it('passes over every block that a route leads into', () => {
    const free = freeBlocks(['default', '10.100.0.0/30', '10.101.7.9', '10.0.0.0/8', '192.168.0.0/16', 'fe80::/64']);
    assert.equal(free[0]?.network, '10.102.0.0/16');
  });

  it('has none left when all are taken', () => {
    assert.deepEqual(freeBlocks(Array.from({ length: 256 }, (_, second) => `10.${second}.0.0/16`)), []);
  });
});

describe('addressBlock', () => {
  it('keeps the link, the pods and the services apart, all behind its one route', () => {
    const block = addressBlock(123);
    const list = (network: string) => {
      const [address = '', length = ''] = network.split('/');
      const blockList = new BlockList();
      blockList.addSubnet(address, Number(length));
      return blockList;
    };
    const parts = [`${block.hostAddress}/${block.linkPrefixLength}`, block.podNetwork, block.serviceNetwork];
    for (const part of parts) {
      const [address = ''] = part.split('/');
      assert.ok(list(block.network).check(address), part);
      assert.deepEqual(
        parts.filter((other) => list(other).check(address)),
        [part],
      );
    }
    assert.ok(list(parts[0] ?? '').check(block.nodeAddress));
  });
});
