import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';

export interface ClusterResponse {
  readonly status: number;
  /** Parsed where the server answered JSON, else the text. */
  readonly body: unknown;
}

export interface ClusterRequest {
  /** Sent as JSON; a string goes out as it is. */
  readonly body?: unknown;
  /** Default: application/json. */
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Plain calls on an API server, for tests. Answers of any status resolve; only a lost connection rejects. */
export interface ClusterClient {
  request(method: string, path: string, options?: ClusterRequest): Promise<ClusterResponse>;
  close(): Promise<void>;
}

/** A client that acts as the kubeconfig's current user. */
export async function clientFromKubeconfig(kubeconfigPath: string): Promise<ClusterClient> {
  const config = new KubeConfig();
  config.loadFromString(await readFile(kubeconfigPath, 'utf8'));
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error(
      `The kubeconfig ${kubeconfigPath} has no current context that names a cluster; set current-context.`,
    );
  }
  const server = cluster.server.replace(/\/$/, '');
  const tls: RequestOptions = {};
  await config.applyToHTTPSOptions(tls);
  const agent = new Agent({
    connect: {
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
      rejectUnauthorized: tls.rejectUnauthorized ?? true,
    },
    // A watch may be quiet for long.
    bodyTimeout: 0,
  });
  return {
    async request(method, path, options = {}) {
      const authentication: RequestOptions = {};
      await config.applyToHTTPSOptions(authentication);
      const response = await request(`${server}${path}`, {
        dispatcher: agent,
        method: method as 'GET',
        headers: {
          ...(authentication.headers as Record<string, string> | undefined),
          accept: 'application/json',
          ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
        },
        body:
          options.body === undefined || typeof options.body === 'string'
            ? (options.body ?? null)
            : JSON.stringify(options.body),
        signal: options.signal ?? null,
      });
      const text = await response.body.text();
      const json = String(response.headers['content-type'] ?? '').startsWith('application/json');
      return { status: response.statusCode, body: json && text !== '' ? JSON.parse(text) : text };
    },
    close: () => agent.close(),
  };
}
