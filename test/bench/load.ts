/**
 * The load generator of the server's benchmark, a process of its own: over each of a number of connections it sends the
 * same request again as soon as the answer has come. Bare sockets, because what a client library costs would be taken
 * from the server on a small machine. Reads a LoadJob from its IPC channel and answers with a LoadResult.
 */
import { connect, type Socket } from 'node:net';

export interface LoadJob {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly body: string;
  readonly connections: number;
  /** Sent before the measured time, in milliseconds. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** The measurement ends after as many answers, if that is sooner. */
  readonly maxRequests: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers that were not 200. */
  readonly errors: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

process.once('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
      process.disconnect();
    },
  );
});

async function run(job: LoadJob): Promise<LoadResult> {
  await burst({ ...job, durationMs: job.warmUpMs });
  return burst(job);
}

async function burst(job: LoadJob): Promise<LoadResult> {
  const request = Buffer.from(
    `POST ${job.path} HTTP/1.1\r\nHost: ${job.host}:${job.port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(job.body)}\r\n\r\n${job.body}`,
  );
  const latenciesMs: number[] = [];
  let errors = 0;
  const startMs = performance.now();
  const isOver = (): boolean => latenciesMs.length >= job.maxRequests || performance.now() - startMs >= job.durationMs;
  await Promise.all(
    Array.from({ length: job.connections }, () =>
      converse(connect(job.port, job.host), request, (status, latencyMs) => {
        latenciesMs.push(latencyMs);
        if (status !== 200) errors++;
        return !isOver();
      }),
    ),
  );
  const seconds = (performance.now() - startMs) / 1000;
  const sorted = Float64Array.from(latenciesMs).sort();
  const quantile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { requests: sorted.length, errors, seconds, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** Sends requests one after the other while `answered` says so; resolves when the connection is closed. */
function converse(
  socket: Socket,
  request: Buffer,
  answered: (status: number, latencyMs: number) => boolean,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  let sentMs = 0;
  const send = (): void => {
    sentMs = performance.now();
    socket.write(request);
  };
  socket.setEncoding('latin1').setNoDelay(true);
  socket.on('connect', send).on('error', reject);
  socket.on('close', () => resolve());
  socket.on('data', (part: string) => {
    text += part;
    const headEnd = text.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
    if (text.length < headEnd + 4 + length) return;
    const status = Number(text.slice(9, 12));
    text = text.slice(headEnd + 4 + length);
    if (answered(status, performance.now() - sentMs)) send();
    else socket.end();
  });
  return promise;
}
