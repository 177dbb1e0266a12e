import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kubectl } from '../../integration/support/kubectl.ts';

const MNIST = fileURLToPath(new URL('../../../examples/mnist/model/', import.meta.url));

/**
 * A ConfigMap with the model of examples/mnist, one weight of which is another: other content, which sees the same digits.
 *
 * @returns its URI
 */
export async function createAnotherModel(namespace: string, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'modelservice-model-'));
  try {
    const weights = await readFile(join(MNIST, 'weights.bin'));
    weights.writeFloatLE(weights.readFloatLE(weights.length - 4) + 0.001, weights.length - 4);
    await writeFile(join(folder, 'weights.bin'), weights);
    const files = [`--from-file=${join(MNIST, 'model.json')}`, `--from-file=${join(folder, 'weights.bin')}`];
    await kubectl(['create', 'configmap', name, '--namespace', namespace, ...files]);
  } finally {
    await rm(folder, { recursive: true });
  }
  return `configmap://${name}`;
}
