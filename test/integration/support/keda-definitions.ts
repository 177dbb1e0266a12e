// KEDA's CustomResourceDefinitions, out of the Go module that they come with; KEDA itself does not run.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import type { Intent } from '../../../operator/src/kube/types.ts';
import { eventually } from './eventually.ts';
import { RESOURCES } from './resource-types.ts';
import { testApi, testRun } from './test-run.ts';

const MODULE = 'github.com/kedacore/keda/v2@v2.21.0';
/** Of the module's content, as in a go.sum. */
const SUM = 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=';
const SCALED_OBJECTS = 'config/crd/bases/keda.sh_scaledobjects.yaml';

const run = promisify(execFile);

/** Makes the API server serve KEDA's ScaledObject. Disposing takes it away, with every one there is. */
export async function installScaledObject(): Promise<AsyncDisposable> {
  const definition = load(await readFile(join(await moduleFolder(), SCALED_OBJECTS), 'utf8')) as Intent;
  await testApi().apply(RESOURCES.customResourceDefinitions, definition);
  await eventually(() => testApi().list(RESOURCES.scaledObjects), { because: 'the API server serves ScaledObject' });
  return {
    async [Symbol.asyncDispose]() {
      await testApi().delete(RESOURCES.customResourceDefinitions, definition.metadata);
      await eventually(() => testApi().find(RESOURCES.customResourceDefinitions, definition.metadata), {
        because: 'ScaledObject is gone',
        until: (found) => found === undefined,
      });
    },
  };
}

/** Downloaded by Go once, and then kept in its module cache. */
async function moduleFolder(): Promise<string> {
  // A folder without a go.mod, whose pins would be others.
  const options = { cwd: testRun().guard.folder };
  const { stdout } = await run('go', ['mod', 'download', '-json', MODULE], options).catch((error: unknown) => {
    throw new Error(`Could not get KEDA's definitions: go mod download ${MODULE} failed; install Go 1.26.`, {
      cause: error,
    });
  });
  const { Dir, Sum } = JSON.parse(stdout) as { readonly Dir: string; readonly Sum: string };
  if (Sum !== SUM) throw new Error(`${MODULE} has the checksum ${Sum}, and ${SUM} is expected.`);
  return Dir;
}
