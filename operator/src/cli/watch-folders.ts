import { type FSWatcher, watch } from 'node:fs';

/** How long the files must rest, in milliseconds: an editor writes in several steps. */
const QUIET_MS = 100;

export interface FolderWatch {
  /** Watches these folders from now on, and no others. */
  follow(folders: readonly string[]): void;
  close(): void;
}

/**
 * Calls `onChange` after something changed in a folder followed. Folders are watched and not files, because most
 * editors replace a file by a new one; and each by itself, so that `node_modules` is not.
 */
export function watchFolders(onChange: () => void, onError: (folder: string, error: Error) => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, QUIET_MS);
  };
  const drop = (folder: string) => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  const add = (folder: string) => {
    try {
      const watcher = watch(folder, changed);
      watcher.on('error', () => drop(folder));
      watchers.set(folder, watcher);
    } catch (error) {
      onError(folder, error instanceof Error ? error : new Error(String(error)));
    }
  };
  return {
    follow(folders) {
      const wanted = new Set(folders);
      for (const folder of watchers.keys()) if (!wanted.has(folder)) drop(folder);
      for (const folder of wanted) if (!watchers.has(folder)) add(folder);
    },
    close() {
      clearTimeout(timer);
      for (const folder of [...watchers.keys()]) drop(folder);
    },
  };
}
