// Trains the digit classifier on 60,000 real digits and tests it on 10,000 others; writes the model and sample requests.
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type ClassificationReport, classificationReport, percent } from '../training/classification-report.ts';
import { digestOfSaved, pinDigest } from '../training/model-digest.ts';
import { seededRandom, shuffledIndices } from '../training/random.ts';
import { saveLayersModel } from '../training/save-layers-model.ts';
import type { Training, TrainingContext } from '../training/training.ts';
import { type Digits, loadDigits, SIDE } from './digits.ts';
import { inferRequest, predictRequest } from './requests.ts';

const CLASSES = 10;
const EPOCHS = 5;
const BATCH = 128;
const SEED = 20;

/** The test digit that the sample requests show, by its number: a 7. */
const SAMPLE = 0;

export const train: Training = async (context) => {
  const { tf, folder, say } = context;
  const { training, test } = await loadDigits();
  say(`Training on ${training.count} digits, testing on ${test.count} others; TensorFlow.js ${tf.version_core}`);

  const baseline = await fitted(softmaxRegression(context), 'Softmax regression', training, context);
  const network = await fitted(convolutionalNetwork(context), 'Convolutional network', training, context);
  const reports = [
    { title: 'Softmax regression (baseline)', report: evaluate(baseline, test, context) },
    { title: 'Convolutional network', report: evaluate(network, test, context) },
  ];

  say(`\nAccuracy on the ${test.count} test digits`);
  for (const { title, report } of reports) say(`  ${title.padEnd(30)} ${percent(report.accuracy)}`);
  for (const { title, report } of reports) say(recallTable(title, report));

  const target = join(folder, 'model');
  const bytes = await saveLayersModel(tf, network, target);
  const digest = await digestOfSaved(target);
  await pinDigest(join(folder, 'modelservice.yaml'), digest);
  const image = test.images.slice(SAMPLE * SIDE * SIDE, (SAMPLE + 1) * SIDE * SIDE);
  await writeFile(join(folder, 'request.json'), inferRequest(image));
  await writeFile(join(folder, 'request-tfserving.json'), predictRequest(image));
  const megabytes = (bytes / 1e6).toFixed(2);
  say(`\nWrote ${relative(process.cwd(), target)} (${megabytes} MB) and two requests showing a ${test.labels[SAMPLE]}`);
  say(`Pinned in the manifest: ${digest}`);
};

function convolutionalNetwork({ tf }: TrainingContext): LayersModel {
  const init = (seed: number) => tf.initializers.glorotUniform({ seed });
  const image = tf.input({ shape: [SIDE, SIDE, 1], name: 'image' });
  const features = tf.layers
    .conv2d({ filters: 32, kernelSize: 3, activation: 'relu', kernelInitializer: init(SEED), name: 'convolution' })
    .apply(image);
  const flat = tf.layers.flatten({ name: 'flatten' }).apply(features);
  const probabilities = tf.layers
    .dense({ units: CLASSES, activation: 'softmax', kernelInitializer: init(SEED + 1), name: 'probabilities' })
    .apply(flat);
  return tf.model({ name: 'mnist', inputs: image, outputs: probabilities as typeof image });
}

/** The simplest model that learns: every pixel votes for every digit. What the network gains over it is its worth. */
function softmaxRegression({ tf }: TrainingContext): LayersModel {
  const init = tf.initializers.glorotUniform({ seed: SEED });
  return tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [SIDE, SIDE, 1] }),
      tf.layers.dense({ units: CLASSES, activation: 'softmax', kernelInitializer: init }),
    ],
  });
}

/** Not `model.fit`, whose order of the examples cannot be seeded. */
async function fitted(
  model: LayersModel,
  title: string,
  digits: Digits,
  context: TrainingContext,
): Promise<LayersModel> {
  const { tf, progress } = context;
  const random = seededRandom(SEED);
  const started = performance.now();
  model.compile({ optimizer: tf.train.adam(0.001), loss: 'sparseCategoricalCrossentropy' });
  const images = imageTensor(digits, context);
  const labels = tf.tensor1d(Float32Array.from(digits.labels));
  const steps = Math.ceil(digits.count / BATCH);
  let meanLoss = Number.NaN;
  for (let epoch = 1; epoch <= EPOCHS; epoch += 1) {
    const order = shuffledIndices(digits.count, random);
    let sum = 0;
    for (let step = 0; step < steps; step += 1) {
      const batch = tf.tensor1d(order.subarray(step * BATCH, (step + 1) * BATCH), 'int32');
      const x = tf.gather(images, batch);
      const y = tf.gather(labels, batch);
      const loss = await model.trainOnBatch(x, y);
      sum += Number(loss);
      tf.dispose([batch, x, y]);
      meanLoss = sum / (step + 1);
      progress.update(`${title}, epoch ${epoch}/${EPOCHS}`, step + 1, steps, `loss ${meanLoss.toFixed(4)}`);
    }
    progress.end(`${title}, epoch ${epoch}/${EPOCHS}: loss ${meanLoss.toFixed(4)}, ${seconds(started)} s`);
  }
  tf.dispose([images, labels]);
  return model;
}

function evaluate(model: LayersModel, digits: Digits, context: TrainingContext): ClassificationReport {
  const predicted = context.tf.tidy(() => {
    const probabilities = model.predict(imageTensor(digits, context), { batchSize: 1000 }) as Tensor;
    return context.tf.argMax(probabilities, 1).dataSync();
  });
  return classificationReport(predicted, digits.labels, CLASSES);
}

function imageTensor(digits: Digits, { tf }: TrainingContext): Tensor4D {
  return tf.tensor4d(digits.images, [digits.count, SIDE, SIDE, 1]);
}

function recallTable(title: string, { recall }: ClassificationReport): string {
  const digits = recall.map((_, digit) => String(digit).padStart(7)).join('');
  const shares = recall.map((share) => (share * 100).toFixed(1).padStart(7)).join('');
  return `\n${title}: found of each digit, in %\n  ${digits}\n  ${shares}`;
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
