// `npm run train -- NAME`: trains the model of one example with the native engine and writes it into examples/NAME/model.
// What training needs beyond the repository is installed into the example's folder the first time.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTensorflow } from '../server-image/src/engine/load-tensorflow.ts';
import { tensorflowDirectory, tensorflowMarker } from '../server-image/src/engine/tensorflow-location.ts';
import { runCommand } from '../server-image/tensorflow/run-command.ts';
import { progressOn } from './training/progress.ts';
import type { Training } from './training/training.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

const problem = await main(process.argv.slice(2));
if (problem !== undefined) {
  console.error(problem);
  process.exitCode = 1;
}

/** Answers what stood in the way, if anything did. */
async function main([name, ...rest]: readonly string[]): Promise<string | undefined> {
  const trainable = (await readdir(HERE)).filter((entry) => existsSync(join(HERE, entry, 'train.ts')));
  if (name === undefined || rest.length > 0 || !trainable.includes(name)) {
    return `Usage: npm run train -- NAME, where NAME is one of: ${trainable.join(', ')}`;
  }
  const { platform, arch, env } = process;
  const directory = tensorflowDirectory({ env, home: homedir(), platform, arch });
  if (!existsSync(tensorflowMarker(directory))) {
    return 'Training needs the native engine, which is not built yet: run "npm run build:tensorflow" first (about half a minute).';
  }
  const folder = join(HERE, name);
  await installData(folder);
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const { tf } = loadTensorflow(directory);
  const { train }: { train: Training } = await import(new URL(`${name}/train.ts`, import.meta.url).href);
  await train({ tf, folder, say: console.log, progress: progressOn(process.stdout) });
  return undefined;
}

/** npm writes the inner lockfile last: it is there only when the installation was finished. */
async function installData(folder: string): Promise<void> {
  if (existsSync(join(folder, 'node_modules', '.package-lock.json'))) return;
  console.log(`Installing the training data into ${join(folder, 'node_modules')} …`);
  await runCommand('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    signal: new AbortController().signal,
    fix: 'the training data comes from the npm registry',
  });
}
