import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/**
 * Answers `GET /metrics` on a port of its own, which stays out of reach of the clients of the models. As with
 * Prometheus' own clients, `?name[]=METRIC`, once or more, asks for these alone: who scales asks often, for one.
 */
export function createMetricsServer(registry: Registry): Server {
  return createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    request.resume();
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://local');
    if (pathname !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics\n');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    metricsOf(registry, searchParams.getAll('name[]')).then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${String(error)}\n`),
    );
  });
}

async function metricsOf(registry: Registry, names: readonly string[]): Promise<string> {
  if (names.length === 0) return await registry.metrics();
  const known = names.filter((name) => registry.getSingleMetric(name) !== undefined);
  const texts = await Promise.all(known.map((name) => registry.getSingleMetricAsString(name)));
  return texts.map((text) => `${text}\n`).join('');
}
