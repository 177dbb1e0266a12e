import { strict as assert } from 'node:assert';
import { silentObserver } from '../../batching/test-support/silent-observer.ts';
import { Engines } from '../../engine/engines.ts';
import { type LoadedModelHandle, type LoadModelOptions, loadModel } from '../load-model.ts';
import { readModelContent } from '../model-content.ts';
import { type Files, temporaryFolder } from './tiny-models.ts';

const never = new AbortController().signal;

/** For tests: engines of one thread that neither end nor come back. */
export function steadyEngines(tensorflowDirectory = '/nowhere'): Engines {
  return new Engines({
    tensorflowDirectory,
    threads: 1,
    requireGPU: false,
    environment: process.env,
    onFatal: assert.fail,
    onRestart: assert.fail,
  });
}

/** For tests: loads the model that these files are. */
export async function loadFiles(
  files: Files,
  options: Pick<LoadModelOptions, 'engine' | 'engines'> & Partial<LoadModelOptions>,
): Promise<LoadedModelHandle> {
  await using folder = await temporaryFolder(files);
  const content = await readModelContent({ directory: folder.path, file: 'model.json' }, never);
  return loadModel(content, {
    name: 'm',
    signal: never,
    batching: undefined,
    observer: silentObserver,
    readAgain: assert.fail,
    onPhase: () => undefined,
    ...options,
  });
}
