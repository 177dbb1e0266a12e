/** A hash that a tarball must have. */
export interface Integrity {
  /** A name that `createHash` takes. */
  readonly algorithm: string;
  /** Base64. */
  readonly hash: string;
}

/** The strongest first, as npm's ssri prefers them. */
const ALGORITHMS = ['sha512', 'sha384', 'sha256', 'sha1'];

/**
 * The strongest hash that a registry gives for a tarball.
 *
 * @param dist.integrity Subresource Integrity, `sha512-<base64>`, several separated by spaces
 * @param dist.shasum sha1 in hex, of packages from before 2017
 */
export function strongestIntegrity(dist: { integrity?: string | undefined; shasum?: string | undefined }) {
  const all = (dist.integrity ?? '').split(/\s+/).flatMap((entry): Integrity[] => {
    const [, algorithm, hash] = /^(sha\d+)-([A-Za-z0-9+/]+=*)(?:\?.*)?$/.exec(entry) ?? [];
    return algorithm === undefined || hash === undefined ? [] : [{ algorithm, hash }];
  });
  if (dist.shasum !== undefined && /^[0-9a-f]{40}$/.test(dist.shasum)) {
    all.push({ algorithm: 'sha1', hash: Buffer.from(dist.shasum, 'hex').toString('base64') });
  }
  for (const wanted of ALGORITHMS) {
    const found = all.find(({ algorithm }) => algorithm === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}
