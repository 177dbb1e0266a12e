import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { defaultUrl } from 'registry-url';
import { tensorflowDirectory } from '../engine/tensorflow-location.ts';

/** What the server takes from the machine that it runs on; read once, here. */
export interface ServerEnvironment {
  /** The configuration's JSON; MODELSERVICE_CONFIG. */
  readonly config: string | undefined;
  /** Folder for fetched models. Default of `server.cacheDir`: MODELSERVICE_CACHE_DIR, else `~/.cache/modelservice`. */
  readonly modelCacheDirectory: string;
  /** Folder of the native engine; it need not exist. */
  readonly tensorflowDirectory: string;
  /** CPUs that this process may use, after affinity and cgroup quota. Default of `server.engineThreads`. */
  readonly cpus: number;
  /** URL of the npm registry, with a `/` at its end. Default: npm's own. */
  readonly npmRegistry: string;
  /** Sent to that registry as a bearer token, where there is one; NPM_TOKEN or NODE_AUTH_TOKEN. */
  readonly npmToken: string | undefined;
}

export function readEnvironment(env: NodeJS.ProcessEnv): ServerEnvironment {
  const cache = env.MODELSERVICE_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'modelservice');
  const registry = env.npm_config_registry || env.NPM_CONFIG_REGISTRY || defaultUrl;
  return {
    config: env.MODELSERVICE_CONFIG,
    modelCacheDirectory: join(cache, 'models'),
    tensorflowDirectory: tensorflowDirectory({
      env,
      home: homedir(),
      platform: process.platform,
      arch: process.arch,
    }),
    cpus: availableParallelism(),
    npmRegistry: registry.endsWith('/') ? registry : `${registry}/`,
    npmToken: env.NPM_TOKEN || env.NODE_AUTH_TOKEN || undefined,
  };
}
