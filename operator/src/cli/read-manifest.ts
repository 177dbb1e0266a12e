import { loadAll } from 'js-yaml';
import type { ModelService } from '../modelservice/resource.ts';
import type { ManifestFile } from './find-manifests.ts';
import type { ManifestCheck } from './manifest-schema.ts';

const GROUP = 'modelservice.dev/';
const VERSION = `${GROUP}v1alpha1`;

/** A ConfigMap that a `configmap://` URI may name. */
export interface ConfigMap {
  readonly name: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** The manifests of one file that matter here; other kinds of objects are passed over. */
export interface ManifestContent {
  readonly path: string;
  readonly services: readonly ModelService[];
  readonly configMaps: readonly ConfigMap[];
}

/** What is wrong in a file, and what to write instead. */
export interface ManifestProblem {
  readonly path: string;
  /** The object in the file, such as `ModelService/mnist`, where it is known. */
  readonly object?: string;
  readonly field?: string;
  readonly message: string;
}

export type ReadManifest =
  | { readonly content: ManifestContent; readonly problems?: never }
  | { readonly problems: readonly ManifestProblem[]; readonly content?: never };

/** Reads every document of a file and checks the ModelServices as the API server would. */
export function readManifest(file: ManifestFile, check: ManifestCheck): ReadManifest {
  const { path, text, named } = file;
  const services: ModelService[] = [];
  const configMaps: ConfigMap[] = [];
  const problems: ManifestProblem[] = [];
  let documents: unknown[];
  try {
    documents = loadAll(text).flatMap(itemsOf);
  } catch (error) {
    // A folder may hold templates and other people's files; one that speaks of us is meant for us.
    if (!named && !text.includes(GROUP)) return { content: { path, services, configMaps } };
    return { problems: [{ path, message: `is no valid YAML: ${firstLines(error)}` }] };
  }
  for (const document of documents) {
    if (isObject(document) && document.kind === 'ConfigMap' && document.apiVersion === 'v1') {
      const read = readConfigMap(document);
      if (typeof read === 'string') problems.push({ path, object: nameOf(document), message: read });
      else configMaps.push(read);
    } else if (isModelService(document)) {
      const object = nameOf(document);
      if (document.apiVersion !== VERSION) {
        problems.push({ path, object, field: 'apiVersion', message: `write ${VERSION}` });
        continue;
      }
      const checked = check(document);
      if (checked.service === undefined) {
        problems.push(...checked.problems.map((problem) => ({ path, object, ...problem })));
      } else services.push(checked.service);
    }
  }
  if (problems.length > 0) return { problems };
  if (named && services.length + configMaps.length === 0) {
    return {
      problems: [
        {
          path,
          message: `holds no manifest: write one with "apiVersion: ${VERSION}" and "kind: ModelService", or remove the file`,
        },
      ],
    };
  }
  return { content: { path, services, configMaps } };
}

type YamlObject = { [key: string]: unknown };

function isObject(value: unknown): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isModelService(document: unknown): document is YamlObject {
  if (!isObject(document) || document.kind !== 'ModelService') return false;
  const { apiVersion } = document;
  return typeof apiVersion !== 'string' || apiVersion.startsWith(GROUP) || !apiVersion.includes('/');
}

/** `kubectl get -o yaml` writes several objects as one of kind List. */
function itemsOf(document: unknown): unknown[] {
  return isObject(document) && document.kind === 'List' && Array.isArray(document.items) ? document.items : [document];
}

function nameOf(document: YamlObject): string {
  const name = isObject(document.metadata) ? document.metadata.name : undefined;
  return `${document.kind}/${typeof name === 'string' ? name : '?'}`;
}

/** Answers what is wrong, as text, where something is: names and keys become names of files. */
function readConfigMap(document: YamlObject): ConfigMap | string {
  const name = isObject(document.metadata) ? document.metadata.name : undefined;
  if (typeof name !== 'string' || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    return 'metadata.name: write a name of lowercase letters, digits, "-" and "."';
  }
  const files = new Map<string, Buffer>();
  for (const [field, encoding] of [
    ['data', 'utf8'],
    ['binaryData', 'base64'],
  ] as const) {
    const entries = document[field] ?? {};
    if (!isObject(entries)) return `${field}: must be a map of keys to text`;
    for (const [key, value] of Object.entries(entries)) {
      if (!/^[-._a-zA-Z0-9]+$/.test(key) || key.startsWith('..')) {
        return `${field}["${key}"]: write letters, digits, "-", "_" and "." only, not beginning with ".."`;
      }
      if (typeof value !== 'string') return `${field}["${key}"]: must be text; put it in quotes`;
      files.set(key, Buffer.from(value, encoding));
    }
  }
  return { name, files };
}

function firstLines(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 4).join('\n');
}
