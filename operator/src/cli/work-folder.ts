import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerConfig } from '../modelservice/server-config.generated.ts';
import type { ConfigMap } from './read-manifest.ts';

/** Why the server ended, in its own words. */
export interface TerminationMessage {
  readonly reason: string;
  readonly message: string;
}

/** A temporary folder with what the server reads and writes besides models. */
export interface WorkFolder {
  readonly configMapDir: string;
  readonly terminationMessagePath: string;
  /** Lays a ConfigMap out as the kubelet mounts one: the keys appear together or not at all. */
  writeConfigMap(map: ConfigMap): Promise<void>;
  /** Answers the path of the file. */
  writeConfig(config: ServerConfig): Promise<string>;
  terminationMessage(): Promise<TerminationMessage | undefined>;
  remove(): Promise<void>;
}

export async function makeWorkFolder(): Promise<WorkFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'modelservice-'));
  const configMapDir = join(folder, 'configmaps');
  const terminationMessagePath = join(folder, 'termination-message');
  // The server writes into a file that is there, as in a pod.
  await writeFile(terminationMessagePath, '');
  return {
    configMapDir,
    terminationMessagePath,
    async writeConfigMap({ name, files }) {
      const mount = join(configMapDir, name);
      await mkdir(mount, { recursive: true });
      const snapshot = await mkdtemp(join(mount, '..'));
      for (const [key, content] of files) await writeFile(join(snapshot, key), content);
      const link = `${snapshot}-link`;
      await symlink(snapshot, link);
      await rename(link, join(mount, '..data'));
    },
    async writeConfig(config) {
      const path = join(folder, 'config.json');
      await writeFile(path, JSON.stringify(config));
      return path;
    },
    async terminationMessage() {
      try {
        return JSON.parse(await readFile(terminationMessagePath, 'utf8'));
      } catch {
        return undefined;
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
