import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { IN_FLIGHT, metricPath, numberOf } from '../../integration/support/autoscaling.ts';
import { reportReady } from '../../integration/support/kubelet.ts';
import { createMetricsPod } from '../../integration/support/metrics-pods.ts';
import { createNamespace } from '../../integration/support/namespaces.ts';
import { startMetricsApi } from '../../integration/support/suite-metrics-api.ts';
import { testCluster } from '../../integration/support/test-run.ts';
import { startMnistServer } from '../mnist-server.ts';
import type { Section } from './report.ts';

const REQUESTS = 20;
const POLL_MS = 50;
const GIVE_UP_MS = 40_000;

interface Step {
  readonly movedSeconds: number;
  readonly arrivedSeconds: number;
}

/** A real model server, requests that stay in flight because their bodies do not end, and the value as anybody reads it. */
export async function benchFreshness(repetitions: number, signal: AbortSignal): Promise<Section> {
  const namespace = await createNamespace('freshness');
  await using server = await startMnistServer({ engine: 'Wasm' });
  if (server === undefined) throw new Error('The wasm engine is not installed: run npm ci.');
  await using _api = await startMetricsApi(namespace);
  const ref = { namespace, name: 'mnist' };
  await reportReady(await createMetricsPod(ref, ref.name, Number(server.metricsUrl.port)), server.metricsUrl.hostname);
  const body = await readFile(new URL('../../../examples/mnist/request.json', import.meta.url));

  const rows: string[][] = [];
  const read = async (): Promise<number> => {
    const { status, body: answer } = await testCluster().client.request('GET', metricPath(ref));
    const [item] = status === 200 ? (answer as { readonly items: readonly { readonly value: string }[] }).items : [];
    return item === undefined ? Number.NaN : numberOf(item.value);
  };
  while (Number.isNaN(await read())) await delay(POLL_MS, undefined, { signal });
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const up = performance.now();
    const held = await Promise.all(Array.from({ length: REQUESTS }, () => beginRequest(server.url, body)));
    rows.push(rowOf(`0 → ${REQUESTS}`, await follow(read, up, 0, REQUESTS, signal)));
    const down = performance.now();
    await Promise.all(held.map((finish) => finish()));
    rows.push(rowOf(`${REQUESTS} → 0`, await follow(read, down, REQUESTS, 0, signal)));
  }
  return {
    title: 'Freshness',
    text: [
      `A step in load at a real model server: requests that stay in flight, and the value as \`kubectl get --raw\` of ${IN_FLIGHT} shows it.`,
    ],
    tables: [
      {
        columns: ['step, requests in flight', 'value moves after, s', 'value within 5 % of the step after, s'],
        rows,
      },
    ],
    figures: rows,
  };
}

function rowOf(step: string, { movedSeconds, arrivedSeconds }: Step): string[] {
  const row = [step, movedSeconds.toFixed(2), arrivedSeconds.toFixed(2)];
  console.log(row.join('  '));
  return row;
}

async function follow(
  read: () => Promise<number>,
  sinceMs: number,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Step> {
  const before = performance.now();
  let movedSeconds: number | undefined;
  const near = Math.abs(to - from) * 0.05;
  for (;;) {
    const value = await read();
    const seconds = (performance.now() - sinceMs) / 1000;
    // What is left of the step before may be under 5 %, and moves in the other direction.
    if (Math.abs(value - to) < Math.abs(from - to) - near / 50 && value !== from) movedSeconds ??= seconds;
    if (movedSeconds !== undefined && Math.abs(value - to) <= near) return { movedSeconds, arrivedSeconds: seconds };
    if (performance.now() - before > GIVE_UP_MS)
      throw new Error(`The value is ${value}, not ${to}, after ${GIVE_UP_MS} ms`);
    await delay(POLL_MS, undefined, { signal });
  }
}

/** Sends all of a request but its last byte. @returns sends that, and resolves with the answer */
async function beginRequest(url: URL, body: Buffer): Promise<() => Promise<void>> {
  const socket = connect(Number(url.port), url.hostname);
  const head = `POST /v2/models/mnist/infer HTTP/1.1\r\nHost: ${url.host}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  await written(socket, Buffer.concat([Buffer.from(head), body.subarray(0, -1)]));
  return async () => {
    let answer = '';
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part;
    });
    const closed = new Promise<void>((resolve, reject) => socket.on('close', () => resolve()).on('error', reject));
    await written(socket, body.subarray(-1));
    await closed;
    if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`The server answered ${answer.slice(0, 200)}`);
  };
}

function written(socket: Socket, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.write(data, (error) => (error ? reject(error) : resolve())));
}
