import { ModelFailure } from '../failures.ts';

/** The names that the files of a model have in the digest; a weights file cannot have them. */
export const MODEL_FILE = 'model.json';
export const SIDE_FILES = ['task.json', 'warmup.json'] as const;

const RESERVED: ReadonlySet<string> = new Set([MODEL_FILE, ...SIDE_FILES]);

/**
 * Checks a path that a model.json names: it comes from whoever made the model and must not lead out of its folder.
 *
 * @throws ModelFailure `InvalidModel`
 */
export function checkWeightsPath(path: string): string {
  const wrong = whatIsWrong(path);
  if (wrong === undefined) return path;
  throw new ModelFailure(
    'InvalidModel',
    `weightsManifest in model.json names the file ${JSON.stringify(path)}, which ${wrong}: weights lie in the model's folder or below it`,
  );
}

function whatIsWrong(path: string): string | undefined {
  if (path === '') return 'is empty';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character in it';
  if (path.includes('\\')) return 'has a backslash in it';
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) return 'is a URL';
  if (path.startsWith('/')) return 'is absolute';
  if (path.split('/').some((segment) => segment === '' || segment === '.' || segment === '..')) return 'is not plain';
  if (RESERVED.has(path)) return 'is a name that another file of the model has';
  return undefined;
}
