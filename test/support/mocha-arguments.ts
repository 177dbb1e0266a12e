/** Each kind of suite, and the files that belong to it. */
const FILES = {
  unit: ['operator/src/**/*.test.ts', 'server-image/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts'],
  integration: ['test/integration/*.test.ts'],
  e2e: ['test/e2e/*.test.ts'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * The integration suites wait for controllers most of the time: two processes, each with a cluster of its own (some
 * 1 GiB), halve the time even where there are two cores only.
 */
const PROCESSES = 2;

/**
 * What mocha is called with: all files of a kind, unless some are named. The files are not in mocha's configuration, to
 * which mocha adds those that are named, instead of running them alone.
 *
 * @param kind `unit`, `integration` or `e2e`: the one of the configuration, `test/mocha-KIND.json`
 * @param args as a person wrote them: files, which end in `.test.ts`, and options of mocha
 * @param sharedCluster whether all processes would meet in one cluster, whose CRD and APIServices there are but once
 * @throws when there is no such kind
 */
export function mochaArguments(kind: string, args: readonly string[], sharedCluster: boolean): readonly string[] {
  if (!isKind(kind)) throw new Error(`There are no "${kind}" suites: write ${Object.keys(FILES).join(', ')}.`);
  const config = ['--config', `test/mocha-${kind}.json`];
  // What is said of a file comes at its end where several run at once: those that somebody names are better watched.
  if (args.some((arg) => arg.endsWith('.test.ts'))) return [...config, ...args];
  const parallel = kind === 'integration' && !sharedCluster ? ['--parallel', '--jobs', `${PROCESSES}`] : [];
  return [...config, ...parallel, ...args, ...FILES[kind]];
}

function isKind(kind: string): kind is keyof typeof FILES {
  return Object.hasOwn(FILES, kind);
}
