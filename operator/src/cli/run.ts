import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { load } from 'js-yaml';
import type { RunArguments } from './arguments.ts';
import { type FoundManifests, findManifests } from './find-manifests.ts';
import { changedConfigMaps, type LaptopConfig, laptopConfig } from './laptop-config.ts';
import { liveOutput, type Output } from './live-output.ts';
import { createManifestCheck } from './manifest-schema.ts';
import { type ManifestSet, problemLine, readManifests } from './manifest-set.ts';
import { REPOSITORY } from './repository.ts';
import { type ServerEnd, startServer } from './server-process.ts';
import { createServingView, type ServingView } from './serving-view.ts';
import { onStopSignals, type SignalSource } from './stop-signals.ts';
import { watchFolders } from './watch-folders.ts';
import { makeWorkFolder, type WorkFolder } from './work-folder.ts';

export interface RunContext {
  readonly output: Output;
  readonly signals: SignalSource;
  readonly env: NodeJS.ProcessEnv;
  /** Paths are given, and shown, relative to this folder. */
  readonly cwd: string;
}

/** What is served at a time. */
interface Serving {
  readonly found: FoundManifests;
  readonly manifests: ManifestSet;
  readonly laptop: LaptopConfig;
}

/** Ctrl-C twice ends as a shell says of a program that a SIGINT ended. */
const EXIT_INTERRUPTED = 130;

/** Serves the manifests until a signal to stop or the end of the server; answers the exit code. */
export async function run(args: RunArguments, context: RunContext): Promise<number> {
  const work = await makeWorkFolder();
  try {
    return await runIn(work, args, context);
  } finally {
    await work.remove();
  }
}

async function runIn(work: WorkFolder, args: RunArguments, { output, signals, env, cwd }: RunContext): Promise<number> {
  const out = liveOutput(output);
  const check = createManifestCheck(load(await readFile(REPOSITORY.crd, 'utf8')));
  const shown = (path: string): string => relative(cwd, path) || '.';
  const paths = args.paths.map((path) => join(cwd, relative(cwd, path)));

  async function read(before: ManifestSet['contents']): Promise<Serving> {
    const found = await findManifests(paths);
    const manifests = readManifests(found, check, before);
    const laptop = laptopConfig([...manifests.contents.values()], {
      server: serverSettings(work, args),
      engine: args.engine,
    });
    return { found, manifests, laptop };
  }
  const problemLines = ({ manifests, laptop }: Serving): string[] =>
    [...manifests.problems, ...laptop.problems].map((problem) =>
      problemLine({ ...problem, path: shown(problem.path) }),
    );

  let serving = await read(new Map());
  const problems = problemLines(serving);
  if (serving.laptop.sources.size === 0 && problems.length === 0) {
    problems.push(
      `No ModelService was found in ${paths.map(shown).join(', ')}: write a manifest, or name another folder with -f`,
    );
  }
  if (problems.length > 0) {
    for (const line of problems) out.print(line);
    return 1;
  }
  for (const note of serving.laptop.notes) out.print(`Note: ${note}`);

  const view = createServingView(out, output.isTTY === true, (name) => sampleRequest(serving.laptop, name, shown));
  view.expect([], serving.laptop.config.models);
  for (const map of serving.laptop.configMaps) await work.writeConfigMap(map);
  const server = startServer(REPOSITORY.server, await work.writeConfig(serving.laptop.config), env, view);

  async function reload(): Promise<void> {
    const next = await read(serving.manifests.contents);
    watch.follow(next.found.folders);
    if (JSON.stringify(next.found.files) === JSON.stringify(serving.found.files)) return;
    const { laptop: before } = serving;
    const lines = problemLines(next);
    if (next.laptop.problems.length > 0) {
      // The set as a whole makes no sense; each manifest may.
      serving = { ...serving, found: next.found };
    } else {
      serving = next;
      for (const map of next.laptop.configMaps) await work.writeConfigMap(map);
      const { models } = next.laptop.config;
      if (JSON.stringify(models) !== JSON.stringify(before.config.models)) {
        for (const note of next.laptop.notes.filter((note) => !before.notes.includes(note))) out.print(`Note: ${note}`);
        out.print('The manifests changed');
        view.expect(before.config.models, models);
        server.reload(next.laptop.config);
      }
      for (const name of changedConfigMaps(before, next.laptop)) {
        out.print(
          `Note: the ConfigMap ${name} changed; as in a cluster, its model is loaded anew when its manifest changes`,
        );
      }
    }
    if (lines.length > 0) out.print([...lines, 'What was served before is served on'].join('\n'));
  }
  let reloads = Promise.resolve();
  const watch = watchFolders(
    () => {
      reloads = reloads.then(reload).catch((error: unknown) => out.print(`Could not read the manifests: ${error}`));
    },
    (folder, error) => out.print(`Changes in ${shown(folder)} go unnoticed: ${error.message}`),
  );
  watch.follow(serving.found.folders);

  let stopped: 'no' | 'drained' | 'killed' = 'no';
  const release = onStopSignals(
    signals,
    () => performance.now(),
    () => {
      stopped = 'drained';
      out.print('\nStopping when the requests in flight are answered; Ctrl-C again stops at once');
      server.drain();
    },
    () => {
      stopped = 'killed';
      server.kill();
    },
  );
  const end = await server.ended;
  release();
  watch.close();
  await reloads;
  return await exitCode(end, stopped, view, work, args);
}

async function exitCode(
  end: ServerEnd,
  stopped: 'no' | 'drained' | 'killed',
  view: ServingView,
  work: WorkFolder,
  args: RunArguments,
): Promise<number> {
  if (stopped === 'killed') return EXIT_INTERRUPTED;
  if (stopped === 'drained' && end.code === 0) return 0;
  const how = end.signal === null ? `exit code ${end.code}` : end.signal;
  view.serverEnded(how, await work.terminationMessage(), args);
  return 1;
}

function serverSettings(work: WorkFolder, { host, port, metricsPort }: RunArguments) {
  return {
    host,
    port,
    metricsPort,
    // A line for each start and load would break the table; what goes wrong is shown.
    logLevel: 'Warning',
    configMapDir: work.configMapDir,
    fileRoots: { '/examples': REPOSITORY.examples },
    failFast: false,
    terminationMessagePath: work.terminationMessagePath,
  } as const;
}

/** The `request.json` beside a model's manifest, as its path is typed. */
function sampleRequest({ sources }: LaptopConfig, name: string, shown: (path: string) => string): string | undefined {
  const manifest = sources.get(name);
  const request = manifest === undefined ? undefined : join(dirname(manifest), 'request.json');
  return request !== undefined && existsSync(request) ? shown(request) : undefined;
}
