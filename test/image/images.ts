/** An image of this repository, and how it is built. */
export interface Image {
  /** Without a registry; the chart names the same. */
  readonly name: string;
  /** Path below the repository's root, which is the build's context. */
  readonly dockerfile: string;
  /** A stage of the Dockerfile. Absent: the last one. */
  readonly target?: string;
}

/** All images of a version. */
export function images(version: string): readonly Image[] {
  const server = { dockerfile: 'server-image/Dockerfile' };
  return [
    { name: `modelservice-operator:${version}`, dockerfile: 'operator/Dockerfile' },
    { name: `modelservice-server:${version}-wasm`, ...server, target: 'wasm' },
    { name: `modelservice-server:${version}-tensorflow`, ...server, target: 'tensorflow' },
  ];
}

/**
 * Arguments of `docker` that build an image from the current folder.
 *
 * @param extra given on to `docker build` as they are, for example `--build-arg`, `BASE=…`
 */
export function buildArguments({ name, dockerfile, target }: Image, extra: readonly string[]): string[] {
  const stage = target === undefined ? [] : ['--target', target];
  return ['build', '--file', dockerfile, ...stage, '--tag', name, ...extra, '.'];
}

/** Lines of a table of names and sizes, sizes in MB as `docker images` has them. */
export function sizeTable(sizes: readonly { readonly name: string; readonly bytes: number }[]): string {
  const rows = sizes.map(({ name, bytes }) => ({ name, size: `${Math.round(bytes / 1e6)} MB` }));
  const width = Math.max(0, ...rows.map(({ name }) => name.length));
  const sizeWidth = Math.max(0, ...rows.map(({ size }) => size.length));
  return rows.map(({ name, size }) => `${name.padEnd(width)}  ${size.padStart(sizeWidth)}`).join('\n');
}
