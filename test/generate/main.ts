/**
 * Generates TypeScript types from the contracts, the CustomResourceDefinition and the two schemas between operator and
 * server, and copies the first into the chart. `npm run generate` writes the files; generate.test.ts fails while a
 * written file differs.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { render } from './render.ts';
import { targets } from './targets.ts';

const root = path.resolve(import.meta.dirname, '../..');
for (const target of targets) {
  const text = await render(target, await readFile(path.join(root, target.schema), 'utf8'));
  for (const output of target.outputs) {
    await mkdir(path.dirname(path.join(root, output)), { recursive: true });
    await writeFile(path.join(root, output), text);
    console.log(`${output} from ${target.schema}`);
  }
}
