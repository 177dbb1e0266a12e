import { fileURLToPath, pathToFileURL } from 'node:url';

function inRepository(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** Where things lie in the repository that this program is part of. */
export const REPOSITORY = {
  crd: inRepository('crds/modelservice.yaml'),
  examples: inRepository('examples'),
  server: inRepository('server-image/bin/server.js'),
} as const;

/** A URI that names the examples of the server's image, as the same examples in this repository; another as it is. */
export function localUri(uri: string): string {
  return uri.replace(/^file:\/\/\/examples(?=\/|$)/, pathToFileURL(REPOSITORY.examples).href);
}
