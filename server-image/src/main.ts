/**
 * The process of the model server: arguments and environment in, exit code and termination message out. What it does
 * in between is serve.ts's.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runCli } from './cli/main.ts';
import { readEnvironment } from './config/environment.ts';
import { readConfig } from './config/read-config.ts';
import { errorMessage, ModelFailure } from './failures.ts';
import { FatalModelFailure, serve } from './serve.ts';
import { createLogger } from './telemetry/log.ts';
import { writeTerminationMessage } from './telemetry/termination-message.ts';

const USAGE = `Usage: modelservice-server [--config FILE]
       modelservice-server digest URI|DIR|FILE

Serves the models that the configuration lists. The configuration is the JSON of config.schema.json, in FILE or in the
environment variable MODELSERVICE_CONFIG. digest prints the digest that pins a model's content.
`;

/** Where a failure goes before the configuration has said otherwise. */
let terminationMessagePath = '/dev/termination-log';
let log = createLogger('Info');

process.on('uncaughtException', (error) => fail(error));

const [command] = process.argv.slice(2);
if (command === undefined || command.startsWith('-')) await runServer();
else process.exitCode = await runCli(process.argv.slice(2), process);

/** Aborted when this process is asked to end; a second signal changes nothing, for the drain has its own limit. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  return stop.signal;
}

async function runServer(): Promise<void> {
  const configFile = parseArguments();
  if (configFile === 'answered') return;
  const stop = stopSignal();
  try {
    const machine = readEnvironment(process.env);
    const { config, warnings } = await readConfig({ inline: machine.config, file: configFile });
    terminationMessagePath = config.server.terminationMessagePath;
    log = createLogger(config.server.logLevel);
    for (const warning of warnings) log.warn(warning);
    await serve({ config, machine, version: ownVersion(), log, process }, stop);
  } catch (error) {
    fail(error);
  }
  // An engine thread in a native call would hold the process for as long as the call takes.
  process.exit(0);
}

/** @returns the file after `--config`, or `answered` when the arguments asked for something else */
function parseArguments(): string | undefined {
  try {
    const { values } = parseArgs({
      args: process.argv.slice(2),
      options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    });
    if (values.help || values.version) {
      process.stdout.write(values.help ? USAGE : `${ownVersion()}\n`);
      return 'answered';
    }
    return values.config;
  } catch (error) {
    process.stderr.write(`${errorMessage(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return 'answered';
  }
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { readonly version: string }).version;
}

/** Says why the process ends, in the log and where the operator reads it, and ends it. */
function fail(error: unknown): never {
  const reason = error instanceof ModelFailure ? error.reason : 'InternalError';
  const message = errorMessage(error);
  const model = error instanceof FatalModelFailure ? { model: error.model } : {};
  // The message of a failure that was foreseen says it all; a stack and the same words again would hide it.
  if (error instanceof ModelFailure) log.fatal({ reason, ...model }, message);
  else log.fatal({ reason, err: error }, 'Ended by an error that nobody foresaw');
  writeTerminationMessage(terminationMessagePath, { reason, message, ...model });
  process.exit(1);
}
