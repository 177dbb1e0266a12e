// Builds the images of operator and server with Docker: `npm run image`, or some of them: `npm run image -- operator wasm`.
// Options go to every docker build, for example `npm run image -- --build-arg BASE=registry.example.com/node:24` where
// Docker Hub cannot be reached.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildArguments, type Choice, chosenImages, images, sizeTable } from './images.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
try {
  process.exitCode = buildAll(chosenImages(process.argv.slice(2), images(version)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function buildAll({ images: chosen, extra }: Choice): number {
  const engine = docker(['version', '--format', '{{.Server.Version}}']);
  if (engine.status !== 0) {
    const why = engine.error?.message ?? engine.stderr.trim().split('\n').at(-1);
    console.error(
      `Building the images needs a Docker engine, and none answers (${why}): start Docker and run this again.`,
    );
    return 1;
  }
  const built: { name: string; bytes: number }[] = [];
  for (const image of chosen) {
    console.log(`Building ${image.name}`);
    const { status } = spawnSync('docker', buildArguments(image, extra), { cwd: root, stdio: 'inherit' });
    if (status !== 0) {
      console.error(`Could not build ${image.name}: docker ended with status ${status}; its last lines say why.`);
      return 1;
    }
    built.push({
      name: image.name,
      bytes: Number(docker(['image', 'inspect', image.name, '--format', '{{.Size}}']).stdout),
    });
  }
  console.log(`\n${sizeTable(built)}`);
  return 0;
}

function docker(args: readonly string[]) {
  return spawnSync('docker', args, { cwd: root, encoding: 'utf8' });
}
