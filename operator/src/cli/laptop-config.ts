import { serverConfigOf } from '../modelservice/plan/server-config.ts';
import { type ModelService, modelNameOf } from '../modelservice/resource.ts';
import type { ModelEntry, ServerConfig, ServerSettings } from '../modelservice/server-config.generated.ts';
import type { ConfigMap, ManifestContent, ManifestProblem } from './read-manifest.ts';

export type Engine = NonNullable<ModelEntry['engine']>;

export interface LaptopSettings {
  readonly server: ServerSettings;
  /** Takes the place of every manifest's engine. */
  readonly engine: Engine | undefined;
}

export interface LaptopConfig {
  readonly config: ServerConfig;
  /** The file that each model comes from, by the model's name. */
  readonly sources: ReadonlyMap<string, string>;
  /** The ConfigMaps that models come from. */
  readonly configMaps: readonly ConfigMap[];
  /** What means something else here than in a cluster. */
  readonly notes: readonly string[];
  readonly problems: readonly ManifestProblem[];
}

/**
 * The server's list of all models, rendered by what renders it for the pods of a cluster. What has no meaning without
 * one (resources, scaling, pod …) is left aside.
 */
export function laptopConfig(contents: readonly ManifestContent[], settings: LaptopSettings): LaptopConfig {
  const known = new Map(contents.flatMap(({ configMaps }) => configMaps.map((map) => [map.name, map] as const)));
  const models: ModelEntry[] = [];
  const sources = new Map<string, string>();
  const used = new Map<string, ConfigMap>();
  const notes: string[] = [];
  const problems: ManifestProblem[] = [];

  for (const { path, services } of contents) {
    for (const service of services) {
      const name = modelNameOf(service);
      const object = `ModelService/${service.metadata.name}`;
      const other = sources.get(name);
      if (other !== undefined) {
        const message = `is "${name}", as that of ${other}: one server serves each name once; write another spec.model.name`;
        problems.push({ path, object, field: service.spec.model.name ? 'spec.model.name' : 'metadata.name', message });
        continue;
      }
      sources.set(name, path);
      if (service.spec.suspend) {
        notes.push(`${name} is not served: its manifest says "suspend: true"`);
        continue;
      }
      if (service.spec.gpu)
        notes.push(`${name} asks for a GPU in a cluster; here it takes the engine that this machine has`);
      const entry = entryOf(service, settings.engine);
      const map = /^configmap:\/\/(.+)$/.exec(entry.uri)?.[1];
      if (map !== undefined) {
        const found = known.get(map);
        if (found) used.set(map, found);
        else {
          const message = `no ConfigMap "${map}" is among the manifests: give its file to -f too`;
          problems.push({ path, object, field: 'spec.model.uri', message });
        }
      }
      models.push(entry);
    }
  }
  const config: ServerConfig = { version: 1, server: settings.server, models };
  return { config, sources, configMaps: [...used.values()], notes, problems };
}

/** The names of the ConfigMaps that were used before and hold something else now. */
export function changedConfigMaps(before: LaptopConfig, after: LaptopConfig): string[] {
  const content = ({ files }: ConfigMap): string =>
    JSON.stringify([...files].map(([key, bytes]) => [key, bytes.toString('base64')]));
  const former = new Map(before.configMaps.map((map) => [map.name, content(map)]));
  return after.configMaps
    .filter((map) => (former.get(map.name) ?? content(map)) !== content(map))
    .map(({ name }) => name);
}

function entryOf(service: ModelService, engine: Engine | undefined): ModelEntry {
  // Without its GPU, so that the model is served by whatever this machine has.
  const { gpu: _, ...spec } = service.spec;
  const [entry] = serverConfigOf({ ...service, spec }).models;
  if (entry === undefined) throw new Error(`The list of ${service.metadata.name} has no model`);
  return engine === undefined ? entry : { ...entry, engine };
}
