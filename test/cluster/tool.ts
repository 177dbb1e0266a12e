import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ClusterConfig } from './cluster-config.ts';
import { builtBefore, type GoBuildContext, goBuild } from './go-build.ts';
import { CONTROL_PLANE, type GoModule, HELM, METRICS_SERVER, PROMETHEUS_ADAPTER } from './go-modules.ts';

export type ToolName = 'kubectl' | 'helm' | 'prometheus-adapter' | 'metrics-server';

const BUILT_FROM: Readonly<Record<ToolName, GoModule>> = {
  kubectl: CONTROL_PLANE,
  helm: HELM,
  'prometheus-adapter': PROMETHEUS_ADAPTER,
  'metrics-server': METRICS_SERVER,
};

/**
 * Path of a command-line tool that suites call: the pinned build where there is one, else what `KUBEBUILDER_ASSETS` or
 * PATH has, else it is built from the pinned modules.
 *
 * @throws one sentence that says what to install
 */
export async function tool(
  name: ToolName,
  config: ClusterConfig,
  context: Omit<GoBuildContext, 'cacheDir'>,
): Promise<string> {
  const module = BUILT_FROM[name];
  const built = await builtBefore(module, config.cacheDir);
  if (built !== undefined) return join(built, name);
  const found = await findExecutable(name, [config.assets ?? '', ...config.path.split(delimiter)]);
  if (found !== undefined) return found;
  try {
    return join(await goBuild(module, { ...context, cacheDir: config.cacheDir }), name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Could not get ${name}: install ${name} or Go 1.26 (${why}).`, { cause: error });
  }
}

/** The first of `folders` that holds an executable file of that name; empty folder names are passed over. */
export async function findExecutable(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    if (folder === '') continue;
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}
