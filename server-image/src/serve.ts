/**
 * One run of the server, from its configuration to its end: builds the parts and joins them. It resolves when it was
 * asked to end and every request is answered, and rejects with the failure that ends it; the process itself (signals,
 * exit code, termination message) is main.ts's.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerEnvironment } from './config/environment.ts';
import { parseConfig } from './config/read-config.ts';
import type { ServerConfig } from './config/server-config.ts';
import { type IpcProcess, openControlChannel } from './control/control-channel.ts';
import { type FailureReason, ModelFailure } from './failures.ts';
import { createHttpServer } from './http/server.ts';
import { listen } from './listen.ts';
import { createModels } from './model/create-models.ts';
import type { ModelProgress } from './model/model-progress.ts';
import { createLoadTimer, type LoadTimer } from './telemetry/load-timer.ts';
import type { Logger } from './telemetry/log.ts';
import { createMetricsServer } from './telemetry/metrics-server.ts';
import { createTelemetry } from './telemetry/telemetry.ts';

export interface ServeOptions {
  readonly config: ServerConfig;
  readonly machine: ServerEnvironment;
  /** Of this program. */
  readonly version: string;
  readonly log: Logger;
  /** This process, for the channel to the one that started it and for TensorFlow's variables. */
  readonly process: IpcProcess & { readonly env: NodeJS.ProcessEnv };
}

/** A model that cannot be served, where that ends the process. */
export class FatalModelFailure extends ModelFailure {
  readonly model: string;

  constructor(reason: FailureReason, message: string, model: string) {
    super(reason, message);
    this.model = model;
  }
}

/** What the engines and models may take to go, once every request is answered, in milliseconds. */
const CLEANUP_MS = 2000;

/**
 * @param stop aborted when the server is to end
 * @throws ModelFailure
 */
export async function serve(
  { config, machine, version, log, process }: ServeOptions,
  stop: AbortSignal,
): Promise<void> {
  const settings = config.server;
  const end = Promise.withResolvers<void>();
  stop.addEventListener('abort', () => end.resolve(), { once: true });
  if (stop.aborted) end.resolve();

  const models = createModels({
    settings,
    environment: machine,
    processEnvironment: process.env,
    onProgress: (progress) => report(progress),
    observe: (model, version) => ({
      ...telemetry.batches(model, version),
      notJoined: (why) => log.warn({ model, version, why }, 'Left requests of a model unjoined'),
    }),
    onFatal: (failure) => end.reject(failure),
    onRestart: (engine, error) => log.warn({ engine, err: error }, 'Restarted an engine thread'),
  });
  const { manager } = models;
  const telemetry = createTelemetry(manager);
  const timer = createLoadTimer(telemetry);
  const http = createHttpServer({
    repository: manager,
    telemetry,
    log,
    version,
    maxRequestBytes: settings.maxRequestBytes,
  });
  const metrics = createMetricsServer(telemetry.registry);
  const tell = openControlChannel(process, {
    onReload: (next) => reload(next),
    onDisconnect: () => end.resolve(),
    onUnknown: () => log.warn('Ignored a message that is none of control.schema.json'),
  });

  function report(progress: ModelProgress): void {
    observe(progress, timer, log);
    tell({ type: 'model', ...progress });
    if (progress.phase !== 'Failed' || !settings.failFast) return;
    // A replacement that failed leaves the old content serving, and that is no reason to end.
    if (manager.get(progress.model)?.loaded !== undefined) return;
    end.reject(new FatalModelFailure(progress.reason ?? 'InvalidModel', progress.message ?? '', progress.model));
  }

  function reload(next: object): void {
    try {
      const { config: wanted, warnings } = parseConfig(next, 'The reload message');
      for (const warning of warnings) log.warn(warning);
      log.info({ models: wanted.models.map(({ name }) => name) }, 'Received a new list of models');
      manager.apply(wanted.models).catch(end.reject);
    } catch (error) {
      log.error({ err: error }, 'Refused a new list of models');
    }
  }

  const url = await listen(http.server, settings.host, settings.port, 'server.port');
  const metricsUrl = await listen(metrics, settings.host, settings.metricsPort, 'server.metricsPort');
  log.info({ url, metricsUrl }, 'Listening');
  tell({ type: 'listening', url, metricsUrl });
  manager.apply(config.models).catch(end.reject);

  await end.promise;
  log.info({ timeoutMs: settings.drainTimeoutMs }, 'Draining');
  await http.drain({ timeoutMs: settings.drainTimeoutMs });
  metrics.close();
  metrics.closeAllConnections();
  const given = new AbortController();
  await Promise.race([models.close(), delay(CLEANUP_MS, undefined, { signal: given.signal }).catch(() => undefined)]);
  given.abort();
  log.info('Drained');
}

function observe(progress: ModelProgress, timer: LoadTimer, log: Logger): void {
  const { model, version, phase } = progress;
  timer.entered(model, version, phase);
  if (phase === 'Ready') log.info(progress, 'Loaded a model');
  else if (phase === 'Failed') log.error(progress, 'Could not serve a model');
  else if (phase === 'Removed') log.info(progress, 'Removed a model');
  else log.debug(progress, 'Loading a model');
}
