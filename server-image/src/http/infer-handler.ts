import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ModelRepository } from '../model/served-model.ts';
import { parseJson } from '../protocol/json.ts';
import { inferResponse, parseInferRequest } from '../protocol/open-inference.ts';
import type { Signature } from '../protocol/signature.ts';
import { parsePredictRequest, predictResponse } from '../protocol/tensorflow-serving.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { type BodyLimits, checkBodyHead, readBody } from './body.ts';
import { findModel, loadedModel } from './find-model.ts';
import type { InferRoute } from './infer-route.ts';
import { sendError, sendJson } from './reply.ts';
import { asRequestError, ClientGone, RequestError } from './request-error.ts';
import { requestTimeoutMs } from './request-timeout.ts';

export interface InferDependencies {
  readonly repository: ModelRepository;
  readonly telemetry: Telemetry;
  readonly limits: BodyLimits;
  readonly log: Logger;
  /** How long a request may take from its head to its answer, where it does not say so itself, in milliseconds. */
  readonly requestTimeoutMs: number;
}

const CLIENT_CLOSED_REQUEST = 499;

/**
 * Answers one infer or predict request. Never rejects.
 *
 * @param waits whether the client waits for "100 Continue" before it sends the body
 */
export async function handleInfer(
  dependencies: InferDependencies,
  route: InferRoute,
  request: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
): Promise<void> {
  const { repository, telemetry, log } = dependencies;
  const arrivedMs = performance.now();
  const served = repository.get(route.model);
  const span = served === undefined ? undefined : telemetry.requestStarted(served.name, served.version, route.protocol);
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new ClientGone('The client left before its answer'));
  });
  let status = 200;
  try {
    const text = await answer(dependencies, route, request, response, waits, arrivedMs, left.signal);
    sendJson(response, status, text);
  } catch (error) {
    const gone = error instanceof ClientGone || left.signal.aborted;
    const refusal = asRequestError(error);
    status = gone ? CLIENT_CLOSED_REQUEST : refusal.status;
    if (status === 500)
      log.error({ err: error, model: served?.name, protocol: route.protocol }, 'Could not answer a request');
    log.debug({ model: served?.name, protocol: route.protocol, status, error: refusal.message }, 'Refused a request');
    if (gone) response.destroy();
    else sendError(request, response, refusal);
  }
  if (span === undefined) telemetry.requestRefused(route.protocol, status);
  else span.end(status);
}

async function answer(
  { repository, limits, requestTimeoutMs: defaultTimeoutMs }: InferDependencies,
  route: InferRoute,
  request: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
  arrivedMs: number,
  signal: AbortSignal,
): Promise<string> {
  if (request.method !== 'POST') {
    throw new RequestError(405, `${request.method} is not allowed here: send a POST with a JSON body`, {
      allow: 'POST',
    });
  }
  // Asked before the body is read, so that nobody sends megabytes to a model that cannot take them.
  loadedModel(findModel(repository, route.model, route.version));
  checkBodyHead(request, limits);
  const deadlineMs = arrivedMs + (requestTimeoutMs(request.headers) ?? defaultTimeoutMs);
  if (waits) response.writeContinue();
  const bytes = await readBody(request, limits);
  const body = parseJson(bytes.toString('utf8'));
  // A value takes a digit and a comma at least.
  const maxElements = Math.ceil(bytes.length / 2);
  // Asked again, for the model may have been replaced meanwhile; nothing is awaited from here to the model.
  const served = findModel(repository, route.model, route.version);
  const loaded = loadedModel(served);
  const model: Signature = {
    name: served.name,
    version: served.version,
    inputs: loaded.inputs,
    outputs: loaded.outputs,
  };
  if (route.protocol === 'v2') {
    const infer = parseInferRequest(body, model, maxElements);
    return inferResponse(model, infer.id, await loaded.infer(infer.inputs, infer.outputs, signal, deadlineMs));
  }
  const predict = parsePredictRequest(body, model, maxElements);
  const outputs = loaded.outputs.map((spec) => spec.name);
  return predictResponse(predict, await loaded.infer(predict.inputs, outputs, signal, deadlineMs));
}
