/**
 * `npm run bench:server`: what the real server does with examples/mnist on this machine, for each engine that is
 * installed, as a table in Markdown. About a minute: every measurement is bounded in time and in requests. The load
 * generator is a process of its own on the same machine, so the two share its cores.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './load.ts';
import { startMnistServer } from './mnist-server.ts';

const ENGINES = ['TensorFlow', 'Wasm', 'JavaScript'] as const;
type Engine = (typeof ENGINES)[number];

const SCENARIOS = [
  { connections: 1, images: 1 },
  { connections: 16, images: 1 },
  { connections: 64, images: 1 },
  { connections: 2, images: 32 },
] as const;

/** Without batching, and with the API's default. */
const BATCHING = [undefined, { maxBatchSize: 32, maxDelayMs: 2, maxQueueSize: 256 }] as const;
type Batching = (typeof BATCHING)[number];

const WARM_UP_MS = 1000;
const DURATION_MS = 3500;
const MAX_REQUESTS = 50_000;
/** For the generator to start and to end. */
const START_TIMEOUT_MS = 60_000;

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const sample: unknown = JSON.parse(await readFile(at('../../examples/mnist/request.json'), 'utf8'));

console.log(
  `examples/mnist, JSON, on ${availableParallelism()} CPUs (${cpus()[0]?.model}), Node ${process.versions.node}\n`,
);
console.log('| engine | batching | connections | images a request | requests/s | images/s | p50 ms | p99 ms |');
console.log('|---|---|---|---|---|---|---|---|');
for (const engine of ENGINES) for (const batching of BATCHING) await benchEngine(engine, batching);

async function benchEngine(engine: Engine, batching: Batching): Promise<void> {
  const name = `${engine} | ${batching === undefined ? 'off' : 'on'}`;
  await using server = await startMnistServer({ engine, batching });
  if (server === undefined) {
    console.log(`| ${name} | not installed | | | | | |`);
    return;
  }
  const { url } = server;
  for (const { connections, images } of SCENARIOS) {
    const result = await measure({
      host: url.hostname,
      port: Number(url.port),
      path: '/v2/models/mnist/infer',
      body: JSON.stringify(repeat(sample, images)),
      connections,
      warmUpMs: WARM_UP_MS,
      durationMs: DURATION_MS,
      maxRequests: MAX_REQUESTS,
    });
    if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} answers were errors`);
    const rate = result.requests / result.seconds;
    const figures = [
      connections,
      images,
      rate.toFixed(0),
      (rate * images).toFixed(0),
      result.p50Ms.toFixed(2),
      result.p99Ms.toFixed(2),
    ];
    console.log(`| ${name} | ${figures.join(' | ')} |`);
  }
}

async function measure(job: LoadJob): Promise<LoadResult> {
  const generator = fork(at('./load.ts'), [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const answer = once(generator, 'message', {
    signal: AbortSignal.timeout(job.warmUpMs + job.durationMs + START_TIMEOUT_MS),
  });
  generator.send(job);
  try {
    const [result] = (await answer) as [LoadResult];
    return result;
  } finally {
    generator.kill();
  }
}

/** An infer body that holds the sample's image as many times as a batch. */
function repeat(body: unknown, images: number): object {
  const { inputs } = body as {
    readonly inputs: readonly { readonly shape: readonly number[]; readonly data: number[] }[];
  };
  return {
    inputs: inputs.map((input) => ({
      ...input,
      shape: [images, ...input.shape.slice(1)],
      data: Array.from({ length: images }, () => input.data).flat(),
    })),
  };
}
