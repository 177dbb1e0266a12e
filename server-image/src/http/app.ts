import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { ModelRepository } from '../model/served-model.ts';
import { modelMetadata, serverMetadata } from '../protocol/open-inference-metadata.ts';
import { modelStatus, signatureMetadata } from '../protocol/tensorflow-serving-metadata.ts';
import type { Logger } from '../telemetry/log.ts';
import { findModel, loadedModel, notReady } from './find-model.ts';
import { frontPage } from './front-page.ts';
import type { Lifecycle } from './lifecycle.ts';
import { sendError, sendJson } from './reply.ts';
import { asRequestError, RequestError } from './request-error.ts';

export interface AppDependencies {
  readonly repository: ModelRepository;
  readonly lifecycle: Lifecycle;
  readonly version: string;
  readonly log: Logger;
}

/** Everything but infer and predict: health, metadata and the front page. */
export function createApp({ repository, lifecycle, version, log }: AppDependencies): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');

  read(app, '/', (request, response) => {
    response.type('text/plain').send(frontPage(repository.list(), request.headers.host ?? 'localhost'));
  });
  read(app, '/v2', (_, response) => json(response, serverMetadata(version)));
  read(app, '/v2/health/live', (_, response) => empty(response));
  read(app, '/v2/health/ready', (_, response) => {
    if (lifecycle.draining) throw new RequestError(503, 'The server is shutting down');
    const waiting = repository.list().find((model) => model.loaded === undefined);
    if (waiting !== undefined) throw notReady(waiting);
    empty(response);
  });
  for (const path of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    read(app, path, (request, response) => {
      const served = served_(request);
      loadedModel(served);
      json(response, modelMetadata(served) ?? {});
    });
    read(app, `${path}/ready`, (request, response) => {
      loadedModel(served_(request));
      empty(response);
    });
  }
  app.all(/:(classify|regress)$/, () => {
    throw new RequestError(501, 'classify and regress are not served: use :predict');
  });
  for (const path of ['/v1/models/:model', '/v1/models/:model/versions/:version']) {
    read(app, path, (request, response) => json(response, modelStatus(served_(request))));
    read(app, `${path}/metadata`, (request, response) => {
      const served = served_(request);
      loadedModel(served);
      json(response, signatureMetadata(served) ?? {});
    });
  }
  app.use((request: Request) => {
    throw new RequestError(404, `Nothing is served at ${request.path}: GET / lists the models and their addresses`);
  });
  app.use(answerErrors(log));

  function served_(request: Request): ReturnType<typeof findModel> {
    const { model, version: wanted } = request.params;
    return findModel(repository, String(model), wanted === undefined ? undefined : String(wanted));
  }
  return app;
}

/** Answers GET and HEAD of a path, and says of other methods that these are the allowed ones. */
function read(app: Express, path: string, handler: RequestHandler): void {
  app
    .route(path)
    .get(handler)
    .all((request: Request) => {
      throw new RequestError(405, `${request.method} is not allowed at ${request.path}: use GET`, {
        allow: 'GET, HEAD',
      });
    });
}

function json(response: Response, body: object): void {
  sendJson(response, 200, JSON.stringify(body));
}

function empty(response: Response): void {
  response.writeHead(200, { 'content-length': 0 }).end();
}

function answerErrors(log: Logger): ErrorRequestHandler {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    const refusal = isBadPath(error)
      ? new RequestError(400, 'The path holds a broken percent sequence')
      : asRequestError(error);
    if (refusal.status === 500) log.error({ err: error, path: request.path }, 'Could not answer a request');
    sendError(request, response, refusal);
  };
}

/** Express's router throws a URIError with status 400 for a path that does not decode. */
function isBadPath(error: unknown): boolean {
  return error instanceof URIError;
}
