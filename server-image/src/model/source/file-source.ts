import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorMessage, ModelFailure } from '../../failures.ts';
import { isMissing } from '../model-files.ts';
import { splitModelPath } from '../model-uri.ts';
import type { ModelSource } from './model-source.ts';

/**
 * `file:///…`: a folder of this machine, read in place.
 *
 * @param roots replaces the beginning of a path, the longest match first, for example `{"/examples": "/clone/examples"}`
 */
export function fileSource(roots: Readonly<Record<string, string>>): ModelSource {
  return {
    async fetch({ text }) {
      const path = mapRoot(pathOf(text), roots);
      const { directory, file } = splitModelPath(path);
      try {
        // The way to the model's folder may lead over links; what lies in it may not.
        return { directory: await realpath(directory), file };
      } catch (error) {
        if (!isMissing(error)) {
          throw new ModelFailure('FetchFailed', `Could not open ${path}: ${errorMessage(error)}`, { cause: error });
        }
        throw new ModelFailure('ModelNotFound', `uri ${text}: there is no ${directory} here${hint(path, text)}`);
      }
    },
  };
}

function pathOf(text: string): string {
  try {
    return fileURLToPath(text);
  } catch (error) {
    throw new ModelFailure(
      'InvalidConfig',
      `uri ${JSON.stringify(text)} is no file URI: write file:/// and the absolute path of a folder`,
      { cause: error },
    );
  }
}

/** Replaces the longest of `roots` that the path begins with, at a `/`. */
export function mapRoot(path: string, roots: Readonly<Record<string, string>>): string {
  const match = Object.keys(roots)
    .filter((root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`))
    .sort((a, b) => b.length - a.length)[0];
  if (match === undefined) return path;
  const rest = path.slice(match.length);
  const target = roots[match] ?? match;
  return rest === '' || rest.startsWith('/') ? `${target}${rest}` : `${target}/${rest}`;
}

function hint(path: string, text: string): string {
  return path === pathOf(text)
    ? ': give the absolute path of the folder that holds the model'
    : ', where that URI is mapped to';
}
