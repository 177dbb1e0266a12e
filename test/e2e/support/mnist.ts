import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Agent, type Dispatcher, request } from 'undici';

/** The manifest of examples/mnist. */
export const MNIST_MANIFEST = fileURLToPath(new URL('../../../examples/mnist/modelservice.yaml', import.meta.url));

/** The digit that examples/mnist/request.json shows. */
export const MNIST_DIGIT = 7;
const DIGITS = 10;

const REQUEST = readFileSync(new URL('../../../examples/mnist/request.json', import.meta.url), 'utf8');

/**
 * The body of a request for that digit.
 *
 * @param rows how often it is asked for in the one request. Default: once
 */
export function requestBody(rows = 1): string {
  if (rows === 1) return REQUEST;
  const { inputs } = JSON.parse(REQUEST) as InferRequest;
  const repeated = inputs.map(({ shape, data, ...input }) => ({
    ...input,
    shape: [rows, ...shape.slice(1)],
    data: Array.from({ length: rows }, () => data).flat(Infinity),
  }));
  return JSON.stringify({ inputs: repeated });
}

interface InferRequest {
  readonly inputs: readonly { readonly shape: readonly number[]; readonly data: readonly unknown[] }[];
}

/** How long a pod that answers may take, on a machine that has much else to do. */
export const ANSWER_IN_TIME = { headersTimeout: 30_000, bodyTimeout: 30_000 };

/**
 * For a first try. A packet that comes before the node's rules for the Service are written leads nowhere, and so do its
 * repetitions: only a new connection finds the way.
 */
export function impatientAgent(): Agent {
  return new Agent({ connect: { timeout: 500 }, ...ANSWER_IN_TIME });
}

/** An answer that is no prediction, or a wrong one. */
export class WrongAnswerError extends Error {
  override readonly name = 'WrongAnswerError';
}

export interface Prediction {
  readonly digit: number;
  /** Of the model that answered. */
  readonly version: string;
}

export interface PredictOptions {
  readonly dispatcher?: Dispatcher;
  /** Of `requestBody`. */
  readonly body?: string;
}

/**
 * What a service sees in examples/mnist/request.json.
 *
 * @param url of the service, for example `http://10.96.0.7`
 * @throws {WrongAnswerError} when it answers something else than a prediction; other errors: it did not answer
 */
export async function predict(
  url: string,
  model: string,
  { body = REQUEST, ...options }: PredictOptions = {},
): Promise<Prediction> {
  const answer = await request(`${url}/v2/models/${model}/infer`, {
    method: 'POST',
    body,
    ...options,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new WrongAnswerError(`It answered ${answer.statusCode}: ${text}`);
  const { outputs, model_version: version } = JSON.parse(text) as InferAnswer;
  const probabilities = outputs[0]?.data.slice(0, DIGITS) ?? [];
  return { digit: probabilities.indexOf(Math.max(...probabilities)), version };
}

interface InferAnswer {
  readonly model_version: string;
  readonly outputs: readonly { readonly data: readonly number[] }[];
}
