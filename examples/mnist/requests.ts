import { SIDE } from './digits.ts';

/** Body for `POST /v2/models/mnist/infer` (Open Inference Protocol) that shows one digit. */
export function inferRequest(image: Float32Array): string {
  const rows = rowsOf(image).map((row) => row.join(', '));
  return `{
  "inputs": [
    {
      "name": "image",
      "shape": [1, ${SIDE}, ${SIDE}, 1],
      "datatype": "FP32",
      "data": [
        ${rows.join(',\n        ')}
      ]
    }
  ]
}
`;
}

/** Body for `POST /v1/models/mnist:predict` (TensorFlow Serving) that shows the same digit. */
export function predictRequest(image: Float32Array): string {
  const rows = rowsOf(image).map((row) => `[${row.map((pixel) => `[${pixel}]`).join(', ')}]`);
  return `{
  "instances": [
    [
      ${rows.join(',\n      ')}
    ]
  ]
}
`;
}

/** Four decimals keep every one of the 256 shades apart. */
function rowsOf(image: Float32Array): number[][] {
  return Array.from({ length: SIDE }, (_, row) =>
    Array.from(image.subarray(row * SIDE, (row + 1) * SIDE), (pixel) => Math.round(pixel * 1e4) / 1e4),
  );
}
