// Builds the native engine: compiles the binding of tfjs-node against the TensorFlow library that its Python wheel
// ships, because the prebuilt one is tied to TensorFlow 2.9.1 and CUDA 11.2. Everything comes from npm and PyPI, and
// lands in a cache outside the checkout. Run by `npm run build:tensorflow` and when the image `tensorflow` is built.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { tensorflowDirectory, tensorflowMarker } from '../src/engine/tensorflow-location.ts';
import { buildEngine } from './build-engine.ts';
import { RecipeError, SUMMARY } from './recipe.ts';
import { CommandError } from './run-command.ts';

const directory = tensorflowDirectory({
  env: process.env,
  home: homedir(),
  platform: process.platform,
  arch: process.arch,
});

if (existsSync(tensorflowMarker(directory))) {
  console.log(`The native engine (${SUMMARY}) is already built: ${directory}`);
} else {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    await buildEngine({ directory, compiler: process.env.CXX || 'g++', say: console.log, signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) console.error('Stopped; nothing was left behind.');
    else if (error instanceof RecipeError || error instanceof CommandError) console.error(error.message);
    else throw error;
    process.exitCode = 1;
  }
}
