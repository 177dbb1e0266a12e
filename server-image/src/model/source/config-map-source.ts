import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, ModelFailure } from '../../failures.ts';
import { isMissing } from '../model-files.ts';
import type { ModelSource } from './model-source.ts';

/** A DNS-1123 subdomain, as Kubernetes wants a ConfigMap's name, and optionally a key that ends in .json. */
const URI = /^configmap:\/\/([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)(?:\/([A-Za-z0-9._-]+\.json))?\/?$/;

/**
 * `configmap://name`: a ConfigMap that is mounted as a volume at `<directory>/<name>`; its keys are flat, so the
 * weights lie beside model.json.
 *
 * The kubelet mounts each key as a link over a folder link `..data` to a folder named by time, and changes the folder
 * link in one step (https://kubernetes.io/docs/concepts/storage/volumes/#configmap). Links are followed here, and here
 * only, by going to that folder itself: one snapshot, in which the keys are regular files.
 */
export function configMapSource(directory: string): ModelSource {
  return {
    async fetch({ text }) {
      const [, name, , file = 'model.json'] = URI.exec(text) ?? [];
      if (name === undefined) {
        throw new ModelFailure(
          'InvalidConfig',
          `uri ${JSON.stringify(text)} names no ConfigMap: write configmap://name, with the model under the key model.json`,
        );
      }
      const mount = join(directory, name);
      return { directory: (await resolved(join(mount, '..data'))) ?? (await mounted(mount, text)), file };
    },
  };
}

async function mounted(mount: string, uri: string): Promise<string> {
  const path = await resolved(mount);
  if (path !== undefined) return path;
  throw new ModelFailure('ModelNotFound', `uri ${uri}: no ConfigMap is mounted at ${mount}`);
}

async function resolved(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new ModelFailure('FetchFailed', `Could not open ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
