import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, afterEach, before } from 'mocha';
import { request } from 'undici';
import { freePort } from '../../cluster/free-port.ts';
import type { GuardedProcess } from '../../cluster/process-guard.ts';
import { findExecutable } from '../../cluster/tool.ts';
import { eventually } from './eventually.ts';
import { skipOutsideCI } from './lacking.ts';
import { lastLines } from './program-process.ts';
import { testRun } from './test-run.ts';

const START_DEADLINE_MS = 60_000;
const LOG_LINES = 20;

export interface PrometheusOptions {
  /** Of `scrape_configs`, as a person writes them. Debian's Prometheus has no kubernetes_sd_configs: see pod-discovery.ts. */
  readonly scrapeConfigs: readonly object[];
  /** `groups` of one rule file. Default: no rules. */
  readonly ruleGroups?: readonly object[] | undefined;
  /** How often it scrapes and evaluates. Default: 1s. */
  readonly interval?: string | undefined;
  /** An address of this machine where it listens; pods need one that they reach. Default: 127.0.0.1. */
  readonly host?: string | undefined;
}

/** One series of an instant query's vector. */
export interface QueriedSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since the epoch: the moment of the evaluation. */
  readonly at: number;
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** A real Prometheus, on a port of its own with a data folder of its own. */
export interface PrometheusServer extends AsyncDisposable {
  /** `http://HOST:PORT`. */
  readonly url: string;
  query(expression: string): Promise<readonly QueriedSample[]>;
  /** Of the alerting rules: what is pending or firing. */
  alerts(): Promise<readonly ActiveAlert[]>;
  logs(): Promise<string>;
  /** Ends it; port and data stay for `start`. */
  stop(): Promise<void>;
  /** Begins again what `stop` ended. Resolves when it is ready. */
  start(): Promise<void>;
  /** From now on it takes connections and never answers. */
  hang(): void;
  /** Ends `hang`. */
  goOn(): void;
}

/**
 * Path of `prometheus` or `promtool` on this machine.
 *
 * @throws one sentence that says what to install
 */
export async function prometheusTool(name: 'prometheus' | 'promtool'): Promise<string> {
  const found = await findExecutable(name, testRun().config.path.split(delimiter));
  if (found === undefined) {
    throw new Error(
      `There is no ${name} on PATH: install Prometheus 2.42 or newer, on Debian with apt-get install prometheus.`,
    );
  }
  return found;
}

/** Has the suite that calls it skipped where there is no Prometheus; in CI that is a failure. */
export function needsPrometheus(name: 'prometheus' | 'promtool' = 'prometheus'): void {
  before(`find ${name}`, async function () {
    await prometheusTool(name).catch((error: Error) => skipOutsideCI(this, error));
  });
}

/** Starts a real Prometheus and waits until it is ready. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const command = await prometheusTool('prometheus');
  const { guard } = testRun();
  const folder = join(guard.folder, `prometheus-${randomBytes(4).toString('hex')}`);
  await mkdir(folder);
  const configFile = join(folder, 'prometheus.yml');
  await writeFile(configFile, await configuration(folder, options));
  const port = await freePort();
  const address = `${options.host ?? '127.0.0.1'}:${port}`;
  const url = `http://${address}`;
  const logFile = join(folder, 'log');
  const logs = () => readFile(logFile, 'utf8').catch(() => '');
  let running: GuardedProcess | undefined;

  async function start(): Promise<void> {
    const child = guard.run({
      command,
      args: [
        `--config.file=${configFile}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      cwd: folder,
      logFile,
      // Its data goes with it, so there is nothing to end in order for; and one that hangs ends too.
      stopSignal: 'SIGKILL',
    });
    running = child;
    let ended: string | undefined;
    void child.exited.then((reason) => {
      ended = reason;
    });
    try {
      await eventually(async () => ended ?? (await readiness(url)), {
        because: 'Prometheus is ready',
        until: (state) => ended !== undefined || state === 200,
        deadlineMs: START_DEADLINE_MS,
      });
      if (ended !== undefined) throw new Error(`Prometheus ended before it was ready, with ${ended}`);
    } catch (error) {
      await stop();
      const what = error instanceof Error ? error.message : String(error);
      throw new Error(`${what}; the end of its log:\n${lastLines(await logs(), LOG_LINES)}`, { cause: error });
    }
  }

  async function stop(): Promise<void> {
    running?.kill('SIGCONT');
    running?.kill('SIGKILL');
    await running?.exited;
  }

  await start();
  return {
    url,
    logs,
    start,
    stop,
    hang: () => running?.kill('SIGSTOP'),
    goOn: () => running?.kill('SIGCONT'),
    async query(expression) {
      const { result } = await callApi<QueryData>(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      return result.map(({ metric, value: [seconds, value] }) => ({
        labels: metric,
        value: Number(value),
        at: seconds * 1000,
      }));
    },
    alerts: async () => (await callApi<{ readonly alerts: readonly ActiveAlert[] }>(`${url}/api/v1/alerts`)).alerts,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Runs a Prometheus from a suite's `before` to its `after`, and prints the end of its log after each test that failed.
 *
 * @param options asked for when the hook runs, so that they can name what other hooks started
 */
export function usePrometheus(options: () => PrometheusOptions | Promise<PrometheusOptions>): () => PrometheusServer {
  let server: PrometheusServer | undefined;
  needsPrometheus();
  before('start Prometheus', async function () {
    this.timeout(2 * START_DEADLINE_MS);
    server = await startPrometheus(await options());
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || server === undefined) return;
    console.log(`The end of Prometheus' log:\n${lastLines(await server.logs(), LOG_LINES)}`);
  });
  after('stop Prometheus', async () => await server?.stop());
  return () => {
    if (server === undefined) throw new Error('Prometheus runs from the suite\'s "before" hook on; ask for it later.');
    return server;
  };
}

interface QueryData {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }[];
}

/** JSON documents are YAML documents. */
async function configuration(
  folder: string,
  { scrapeConfigs, ruleGroups, interval = '1s' }: PrometheusOptions,
): Promise<string> {
  const rules = join(folder, 'rules.yml');
  if (ruleGroups !== undefined) await writeFile(rules, JSON.stringify({ groups: ruleGroups }));
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    scrape_configs: scrapeConfigs,
    rule_files: ruleGroups === undefined ? [] : [rules],
  });
}

async function readiness(url: string): Promise<number> {
  const { statusCode, body } = await request(`${url}/-/ready`);
  await body.dump();
  return statusCode;
}

async function callApi<T>(url: string): Promise<T> {
  const { statusCode, body } = await request(url);
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`GET ${url} answered ${statusCode}: ${text}`);
  return (JSON.parse(text) as { readonly data: T }).data;
}
