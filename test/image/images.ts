/** An image of this repository, and how it is built. */
export interface Image {
  /** By which a person chooses it. */
  readonly key: string;
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
    { key: 'operator', name: `modelservice-operator:${version}`, dockerfile: 'operator/Dockerfile' },
    { key: 'wasm', name: `modelservice-server:${version}-wasm`, ...server, target: 'wasm' },
    { key: 'tensorflow', name: `modelservice-server:${version}-tensorflow`, ...server, target: 'tensorflow' },
  ];
}

/** What a command line asks for. */
export interface Choice {
  readonly images: readonly Image[];
  /** Goes to every `docker build` as it is. */
  readonly extra: readonly string[];
}

/**
 * Keys of images, all where none is named, and then what goes to every `docker build`, from the first that begins with a
 * dash.
 *
 * @throws one sentence when there is no image of that key
 */
export function chosenImages(args: readonly string[], all: readonly Image[]): Choice {
  const firstOption = args.findIndex((argument) => argument.startsWith('-'));
  const keys = firstOption === -1 ? args : args.slice(0, firstOption);
  const extra = firstOption === -1 ? [] : args.slice(firstOption);
  const unknown = keys.find((key) => !all.some((image) => image.key === key));
  if (unknown !== undefined) {
    throw new Error(`There is no image "${unknown}": name some of ${all.map(({ key }) => key).join(', ')}, or none.`);
  }
  return { images: keys.length === 0 ? all : all.filter(({ key }) => keys.includes(key)), extra };
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
