import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestCluster } from '../../cluster/test-cluster.ts';
import { type CallKind, callOf, isWrite, type ProxiedCall } from './proxied-call.ts';

/** What can befall the calls that a rule names. */
export type Fault =
  /** The connection is reset. */
  | { readonly kind: 'cut' }
  /** The answer is an error Status. */
  | { readonly kind: 'status'; readonly code: 410 | 429 | 500; readonly retryAfterSeconds?: number }
  /** The answer begins well; an ERROR event of that code comes in the stream, which then ends. Watches only. */
  | { readonly kind: 'errorEvent'; readonly code: 410 | 500 }
  /** The connection stays open and nothing comes any more, not even after the rule was lifted. */
  | { readonly kind: 'silence' };

export interface FaultRule {
  readonly on: Extract<CallKind, 'watch' | 'list'>;
  /** A plural name. Default: every type. */
  readonly resource?: string | undefined;
  readonly fault: Fault;
}

export interface ReceivedCall extends ProxiedCall {
  /** When it arrived, as `performance.now()` says; comparable between the proxies of one test run. */
  readonly receivedMs: number;
}

/** An HTTP proxy in front of an API server that passes everything on until it is told to fail. */
export interface FaultProxy extends AsyncDisposable {
  /** For a kubeconfig's `server`. */
  readonly url: string;
  /** Every call that arrived, oldest first. */
  readonly calls: readonly ReceivedCall[];
  /** Calls that change something, since the start. */
  writes(): readonly ReceivedCall[];
  /** Plural names of the types whose watches are open at this moment, sorted. */
  openWatches(): readonly string[];
  /** From now on, and at once for the watches that are open. */
  inject(rule: FaultRule): void;
  /**
   * Calls back once when so many writes more, those of Leases not counted, were carried out. With `cut` nothing that comes
   * after the last of them passes, nor does its answer: for a client that crashes there.
   */
  afterWrites(count: number, callback: () => void, how?: { readonly cut: boolean }): void;
  /** Has writes from now on carried out, those of Leases not meant, and keeps their answers back. */
  holdAnswers(): void;
  /** Lifts the rules and the cut, sends the answers that were kept back; calls from now on pass. */
  heal(): void;
  /** How many calls met the fault since it was injected last. */
  injected(): number;
  stop(): Promise<void>;
}

interface OpenWatch {
  readonly call: ProxiedCall;
  readonly response: ServerResponse;
  /** No byte of the API server's passes any more. */
  muted: boolean;
}

/** Begins to listen on a free port of this machine, in front of the API server of `cluster`. */
export async function startFaultProxy(
  cluster: Pick<TestCluster, 'server' | 'ca' | 'skipTLSVerify'>,
): Promise<FaultProxy> {
  const { server: target, ca, skipTLSVerify } = cluster;
  const agent = new Agent({
    keepAlive: true,
    rejectUnauthorized: !skipTLSVerify,
    ...(ca === undefined ? {} : { ca }),
  });
  const calls: ReceivedCall[] = [];
  const open = new Set<OpenWatch>();
  let rules: readonly FaultRule[] = [];
  let injected = 0;
  let countdown: { left: number; readonly cut: boolean; readonly callback: () => void } | undefined;
  let severed = false;
  let held: (() => void)[] | undefined;

  const server = createServer((incoming, response) => {
    if (severed) {
      response.destroy();
      return;
    }
    const receivedMs = performance.now();
    const call = { ...callOf(incoming.method ?? 'GET', incoming.url ?? '/'), receivedMs };
    calls.push(call);
    const watch: OpenWatch = { call, response, muted: false };
    if (call.kind === 'watch') {
      open.add(watch);
      response.on('close', () => open.delete(watch));
    }
    const rule = rules.find((candidate) => applies(candidate, call));
    if (rule === undefined) {
      forward(incoming, watch, isWorkWrite(call) ? countDown(watch) : undefined);
    } else {
      injected++;
      fail(watch, rule.fault);
    }
  });

  /** @returns what to call when this write was carried out */
  function countDown(write: OpenWatch): (() => void) | undefined {
    if (countdown === undefined || --countdown.left > 0) return undefined;
    const { cut, callback } = countdown;
    countdown = undefined;
    severed = cut;
    write.muted = cut;
    return callback;
  }

  function forward(incoming: IncomingMessage, watch: OpenWatch, carriedOut?: () => void): void {
    const { response } = watch;
    const { host: _, ...headers } = incoming.headers;
    const url = new URL(incoming.url ?? '/', target);
    const passOn = (answer: IncomingMessage): void => {
      if (!watch.muted) response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.on('data', (chunk: Buffer) => {
        if (watch.muted || response.write(chunk)) return;
        answer.pause();
        response.once('drain', () => answer.resume());
      });
      answer.on('end', () => {
        carriedOut?.();
        if (!watch.muted) response.end();
      });
      answer.on('error', () => response.destroy());
    };
    const upstream = httpsRequest(url, { method: incoming.method ?? 'GET', headers, agent }, (answer) => {
      if (held !== undefined && isWorkWrite(watch.call)) held.push(() => passOn(answer));
      else passOn(answer);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    agent.destroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    writes: () => calls.filter(isWrite),
    openWatches: () =>
      [...open]
        .filter(isConnected)
        .map(({ call }) => call.resource ?? '')
        .toSorted(),
    inject(rule) {
      rules = [...rules, rule];
      injected = 0;
      for (const watch of [...open]) {
        if (watch.muted || !isConnected(watch) || !applies(rule, watch.call)) continue;
        injected++;
        fail(watch, rule.fault);
      }
    },
    afterWrites(count, callback, { cut } = { cut: false }) {
      countdown = { left: count, cut, callback };
    },
    holdAnswers() {
      held = [];
    },
    heal() {
      rules = [];
      severed = false;
      const answers = held ?? [];
      held = undefined;
      for (const send of answers) send();
    },
    injected: () => injected,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The writes of a proxy but for those of Leases, which go on at rest. */
export function workWrites(proxy: FaultProxy): readonly ReceivedCall[] {
  return proxy.writes().filter(isWorkWrite);
}

function isWorkWrite(call: ProxiedCall): boolean {
  return isWrite(call) && call.resource !== 'leases';
}

/** Node tells no end of an answer whose connection was gone before it came to the request. */
function isConnected({ response }: OpenWatch): boolean {
  return response.socket?.destroyed === false;
}

function applies({ on, resource }: FaultRule, call: ProxiedCall): boolean {
  return call.kind === on && (resource === undefined || resource === call.resource);
}

/** Makes a call fail; one whose answer has begun can only be cut, ended by an ERROR event, or muted. */
function fail(watch: OpenWatch, fault: Fault): void {
  const { response } = watch;
  watch.muted = true;
  switch (fault.kind) {
    case 'silence':
      return;
    case 'cut':
      response.destroy();
      return;
    case 'errorEvent':
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify({ type: 'ERROR', object: statusOf(fault.code) })}\n`);
      return;
    case 'status':
      if (response.headersSent) {
        response.destroy();
        return;
      }
      if (fault.retryAfterSeconds !== undefined) response.setHeader('retry-after', String(fault.retryAfterSeconds));
      response.writeHead(fault.code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(statusOf(fault.code)));
  }
}

const REASONS = { 410: 'Expired', 429: 'TooManyRequests', 500: 'InternalError' } as const;

function statusOf(code: 410 | 429 | 500): object {
  const metadata = {};
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata,
    status: 'Failure',
    message: 'injected',
    reason: REASONS[code],
    code,
  };
}
