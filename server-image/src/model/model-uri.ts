import { ModelFailure } from '../failures.ts';

/** The schemes that this release fetches models by. */
export const SCHEMES = ['file', 'http', 'https', 'npm', 'configmap'] as const;
export type Scheme = (typeof SCHEMES)[number];

export interface ModelUri {
  readonly scheme: Scheme;
  /** The URI as written. */
  readonly text: string;
}

/** @throws ModelFailure `InvalidConfig` for a URI of a scheme, or of a kind of file, that this release does not read */
export function parseModelUri(text: string): ModelUri {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  const known = SCHEMES.find((name) => name === scheme);
  if (known === undefined) {
    throw new ModelFailure(
      'InvalidConfig',
      `uri ${JSON.stringify(text)} has no scheme that this server reads: write file:///…, https://…, http://…, npm:package@version/path or configmap://name`,
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    throw new ModelFailure('InvalidConfig', `uri ${JSON.stringify(text)} has a control character in it: remove it`);
  }
  const path = text.replace(/[?#].*$/, '');
  const unread = /\.(zip|tar\.gz|tgz|tar|h5|keras|pb)$/i.exec(path)?.[0];
  if (unread !== undefined) {
    throw new ModelFailure(
      'InvalidConfig',
      `uri ${JSON.stringify(text)} names a ${unread} file: name the folder of a TensorFlow.js model, or its .json file`,
    );
  }
  return { scheme: known, text };
}

/** Splits a path at its last `/` where it names a .json file; else the whole path is the folder of a model.json. */
export function splitModelPath(path: string): { readonly directory: string; readonly file: string } {
  if (!path.toLowerCase().endsWith('.json')) return { directory: path, file: 'model.json' };
  const cut = path.lastIndexOf('/') + 1;
  return { directory: path.slice(0, cut), file: path.slice(cut) };
}
