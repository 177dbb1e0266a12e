// Makes an image that the Dockerfiles can be built on where no image registry can be reached: `npm run image:base`, as
// root on Debian or a relative of it. It has this machine's release, from where apt gets its packages, Node and npm, and
// trusts whom this machine trusts. Its name goes to stdout, all else to stderr:
// `npm run image -- --network host --build-arg BASE="$(npm run -s image:base)"`.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheRoot } from '../cluster/cluster-config.ts';
import { baseArchive } from './base-archive.ts';
import {
  AUTHORITIES_FILE,
  archiveOf,
  type BaseRecipe,
  baseImageName,
  codenameOf,
  LIST_ARCHIVES,
  npmrcOf,
} from './base-recipe.ts';
import { outputOf, succeeds } from './command.ts';

try {
  const npm = dirname(dirname(required(process.env.npm_execpath, 'npm did not start this: write npm run image:base')));
  console.log(await baseImage(npm));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @param npm folder of npm's package */
async function baseImage(npm: string): Promise<string> {
  const recipe = await recipeOfThisMachine(npm);
  const name = baseImageName(recipe);
  if (await succeeds('docker', ['image', 'inspect', name])) return name;
  const archive = await baseArchive(recipe, npm, {
    folder: join(cacheRoot(process.env), 'image-base'),
    name: name.replace(':', '-'),
  });
  await outputOf('docker', ['import', archive, name]);
  return name;
}

async function recipeOfThisMachine(npm: string): Promise<BaseRecipe> {
  const suite = required(
    codenameOf(await readFile('/etc/os-release', 'utf8').catch(() => '')),
    'Making a base image needs Debian or a relative of it: name an image with Node 24 and npm in BASE instead.',
  );
  const mirror = required(
    archiveOf(await outputOf('apt-get', LIST_ARCHIVES), suite),
    `apt has no source for the packages of ${suite}: add it to its sources.`,
  );
  const registry = await outputOf(process.execPath, [join(npm, 'bin/npm-cli.js'), 'config', 'get', 'registry']);
  const { version: npmVersion } = JSON.parse(await readFile(join(npm, 'package.json'), 'utf8')) as { version: string };
  return {
    suite,
    mirror,
    arch: process.arch,
    nodeVersion: process.version,
    npmVersion,
    npmrc: npmrcOf(registry.trim()),
    authorities: await readFile(AUTHORITIES_FILE, 'utf8'),
  };
}

function required(value: string | undefined, message: string): string {
  if (value === undefined) throw new Error(message);
  return value;
}
