import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loadLayersModel } from '@tensorflow/tfjs-layers';
import { load as loadYaml } from 'js-yaml';
import { describe, it } from 'mocha';
import { digestOfSaved } from '../training/model-digest.ts';
import { parseDigits, SIDE } from './digits.ts';

const DIGIT = 7;

describe('examples/mnist', () => {
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const read = async (name: string) => JSON.parse(await readFile(path(name), 'utf8'));

  it('pins the digest of the committed model', async () => {
    const manifest = loadYaml(await readFile(path('modelservice.yaml'), 'utf8'));
    assert.partialDeepStrictEqual(manifest, { spec: { model: { digest: await digestOfSaved(path('model')) } } });
  });

  it('is under 1 MB', async () => {
    const sizes = await Promise.all(['model/model.json', 'model/weights.bin'].map((name) => stat(path(name))));
    assert.ok(sizes.reduce((sum, { size }) => sum + size, 0) < 1e6);
  });

  it(`answers ${DIGIT} to the digit of its sample requests`, async () => {
    // Else tfjs prints an advertisement for its native engine.
    tf.env().set('IS_TEST', true);
    await tf.setBackend('cpu');
    const json: tf.io.ModelJSON = await read('model/model.json');
    const weights = await readFile(path('model/weights.bin'));
    const weightData = new Uint8Array(weights).buffer;
    const artifacts = await tf.io.getModelArtifactsForJSON(json, async (manifest) => [
      manifest[0]?.weights ?? [],
      weightData,
    ]);
    const model = await loadLayersModel({ load: async () => artifacts });
    const { inputs } = await read('request.json');
    const { instances } = await read('request-tfserving.json');
    assert.deepEqual(instances.flat(3), inputs[0].data, 'both requests show the same image');
    assert.equal(model.inputNames[0], inputs[0].name);
    const probabilities = model.predict(tf.tensor(inputs[0].data, inputs[0].shape)) as tf.Tensor;
    assert.deepEqual([...(await tf.argMax(probabilities, 1).data())], [DIGIT]);
  });

  it('refuses files that are no pair of images and labels', () => {
    const header = (...words: number[]) =>
      Buffer.concat(words.map((word) => Buffer.from(Uint32Array.of(word).buffer).swap32()));
    const images = Buffer.concat([header(0x803, 1, SIDE, SIDE), Buffer.alloc(SIDE * SIDE, 255)]);
    const labels = Buffer.concat([header(0x801, 1), Buffer.of(DIGIT)]);
    const digits = parseDigits(images, labels);
    assert.deepEqual([digits.count, digits.labels[0], digits.images[0]], [1, DIGIT, 1]);
    const cases: [Buffer, Buffer, RegExp][] = [
      [labels, labels, /images are no IDX/],
      [images, images, /labels are no IDX/],
      [images, Buffer.concat([header(0x801, 2), Buffer.of(1, 2)]), /same number/],
      [images.subarray(0, -1), labels, /same number/],
    ];
    for (const [wrongImages, wrongLabels, message] of cases) {
      assert.throws(() => parseDigits(wrongImages, wrongLabels), { message });
    }
  });
});
