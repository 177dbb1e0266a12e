/** Each kind of suite, and the files that belong to it. */
const FILES = {
  unit: ['operator/src/**/*.test.ts', 'server-image/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts'],
  integration: ['test/integration/*.test.ts'],
  e2e: ['test/e2e/*.test.ts'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * What mocha is called with: all files of a kind, unless some are named. The files are not in mocha's configuration, to
 * which mocha adds those that are named, instead of running them alone.
 *
 * @param kind `unit`, `integration` or `e2e`: the one of the configuration, `test/mocha-KIND.json`
 * @param args as a person wrote them: files, which end in `.test.ts`, and options of mocha
 * @throws when there is no such kind
 */
export function mochaArguments(kind: string, args: readonly string[]): readonly string[] {
  if (!isKind(kind)) throw new Error(`There are no "${kind}" suites: write ${Object.keys(FILES).join(', ')}.`);
  const files = args.some((arg) => arg.endsWith('.test.ts')) ? [] : FILES[kind];
  return ['--config', `test/mocha-${kind}.json`, ...args, ...files];
}

function isKind(kind: string): kind is keyof typeof FILES {
  return Object.hasOwn(FILES, kind);
}
