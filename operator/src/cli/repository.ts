import { fileURLToPath } from 'node:url';

function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** Where things lie in the repository that this program is part of. */
export const REPOSITORY = {
  crd: inRepository('crds/modelservice.yaml'),
  examples: inRepository('examples'),
  server: inRepository('server-image/bin/server.js'),
} as const;
