// Run by build.ts in a process of its own: a broken library would take its process down.
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { loadTensorflow } from '../src/engine/load-tensorflow.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('Usage: node verify.ts FOLDER');
const { tf, version, gpu } = loadTensorflow(directory);

// A 3×3 convolution of ones over ones counts the neighbours of a pixel; then y = 2x is learnt, which needs gradients.
const counted = tf.tidy(() => tf.conv2d<Tensor4D>(tf.ones([1, 3, 3, 1]), tf.ones([3, 3, 1, 1]), 1, 'same').dataSync());
expectEqual('convolution', [...counted], [4, 6, 4, 6, 9, 6, 4, 6, 4]);

const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'zeros' })] });
model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
const x = tf.tensor2d([-1, 0, 1, 2], [4, 1]);
await model.fit(x, tf.mul(x, 2), { epochs: 100, batchSize: 4, verbose: 0 });
const [answer = Number.NaN] = (model.predict(tf.tensor2d([3], [1, 1])) as { dataSync(): Float32Array }).dataSync();
expectEqual('training', [Math.round(answer * 10) / 10], [6]);

console.log(JSON.stringify({ tensorflow: version, gpu }));

function expectEqual(what: string, actual: readonly number[], expected: readonly number[]): void {
  if (actual.join() !== expected.join())
    throw new Error(`The ${what} gave ${actual.join()}, expected ${expected.join()}`);
}
