import { strict as assert } from 'node:assert';
import { before, describe, it } from 'mocha';
import type { EngineModel } from './engine-messages.ts';
import { loadLayersRunnable } from './layers-runnable.ts';
import type { TensorFlow } from './load-tensorflow.ts';
import { loadTfjs } from './tfjs.ts';

/** Of the layer in the middle: what a request costs beyond its own values. */
const WIDTH = 1000;

describe('a layers model with many rows', () => {
  let tf: TensorFlow;
  before(async () => {
    ({ tf } = await loadTfjs({ engine: 'JavaScript', tensorflowDirectory: undefined }));
  });

  it('is run over a part of them at a time, so that memory stays within bounds, and gives all of them in order', async () => {
    const model = await loadLayersRunnable(tf, wideModel());
    const rows = 3000;
    const values = Float32Array.from({ length: rows }, (_, row) => row);
    const given = new Map([['wide_input', tf.tensor(values, [rows, 1])]]);
    const before = tf.memory().numTensors;
    let sums: number[] = [];
    const { peakBytes } = await tf.profile(async () => {
      const [output] = await model.run(given, ['sum']);
      assert.ok(output);
      sums = [...output.dataSync()];
      return output;
    });
    assert.ok(peakBytes < 3 * 256 * WIDTH * 4, `${peakBytes} bytes; all rows at once take ${rows * WIDTH * 4}`);
    assert.deepEqual(
      sums,
      Array.from(values, (value) => value * WIDTH),
    );
    assert.equal(tf.memory().numTensors, before + 1);
  });
});

/** y = 1000 x, by way of a layer of 1000. */
function wideModel(): EngineModel {
  const dense = (name: string, units: number, rest: object = {}) => ({
    class_name: 'Dense',
    config: { name, units, activation: 'linear', use_bias: false, ...rest },
  });
  const layers = [dense('wide', WIDTH, { batch_input_shape: [null, 1] }), dense('sum', 1)];
  return {
    format: 'LayersModel',
    json: {
      modelTopology: { class_name: 'Sequential', config: { name: 's', layers } },
      weightsManifest: [
        {
          paths: ['w'],
          weights: [
            { name: 'wide/kernel', shape: [1, WIDTH], dtype: 'float32' },
            { name: 'sum/kernel', shape: [WIDTH, 1], dtype: 'float32' },
          ],
        },
      ],
    },
    weights: ones(2 * WIDTH),
  };
}

function ones(count: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(count * 4);
  new Float32Array(buffer).fill(1);
  return buffer;
}
