/** The addresses of one cluster with a node: all of `10.BLOCK.0.0/16`, so that one route leads to all of it. */
export interface AddressBlock {
  readonly block: number;
  readonly network: string;
  /** This machine, as the node and its pods see it; the API server listens there. */
  readonly hostAddress: string;
  readonly nodeAddress: string;
  /** Of the link between the two. */
  readonly linkPrefixLength: number;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
}

const FIRST_BLOCK = 100;
const LAST_BLOCK = 250;

export function addressBlock(block: number): AddressBlock {
  return {
    block,
    network: `10.${block}.0.0/16`,
    hostAddress: `10.${block}.0.1`,
    nodeAddress: `10.${block}.0.2`,
    linkPrefixLength: 30,
    podNetwork: `10.${block}.1.0/24`,
    // At most 20 bits of hosts: the API server takes no more.
    serviceNetwork: `10.${block}.64.0/18`,
  };
}

/**
 * Blocks that no route of this machine touches, in ascending order.
 *
 * @param routes destinations as `ip route` prints them: `default`, `10.1.2.0/24`, `10.1.2.3`
 */
export function freeBlocks(routes: readonly string[]): readonly AddressBlock[] {
  const taken = new Set(routes.map((route) => /^10\.(\d+)\./.exec(route)?.[1]));
  const blocks = Array.from({ length: LAST_BLOCK - FIRST_BLOCK + 1 }, (_, index) => FIRST_BLOCK + index);
  return blocks.filter((block) => !taken.has(String(block))).map(addressBlock);
}
