import { type Answer, text } from '../runtime/http-endpoint.ts';

const PATH = /^\/listeners\/([^/]+)\/([^/]+)$/;

/**
 * `GET /listeners/NAMESPACE/NAME`: `{"port": N}` while requests for that ModelService are taken here, else 404. The
 * operator asks before it sends any here.
 */
export function listenersHandler(
  portOf: (service: string) => number | undefined,
): (path: string) => Promise<Answer | undefined> {
  return async (path) => {
    const match = PATH.exec(path);
    if (match === null) return undefined;
    const [, namespace = '', name = ''] = match;
    const port = portOf(`${namespace}/${name}`);
    if (port === undefined) return text(404, `nothing is taken for ModelService ${namespace}/${name} here\n`);
    return { status: 200, contentType: 'application/json', body: JSON.stringify({ port }) };
  };
}
