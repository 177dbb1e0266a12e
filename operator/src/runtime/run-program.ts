import { type Logger, pino } from 'pino';
import { ConfigError } from './settings.ts';

export interface Program<Config extends { readonly logLevel: string }> {
  /** `help` where it was asked for. Throws ConfigError. */
  readonly readConfig: (args: readonly string[], env: Readonly<Record<string, string | undefined>>) => Config | 'help';
  readonly helpText: () => string;
  /** Resolves when `signal` aborted and everything has stopped; rejects if something broke. */
  readonly run: (config: Config, log: Logger, signal: AbortSignal) => Promise<void>;
}

/** Runs a program of the operator in this process, until SIGTERM or SIGINT. @returns its exit status */
export async function runProgram<Config extends { readonly logLevel: string }>({
  readConfig,
  helpText,
  run,
}: Program<Config>): Promise<number> {
  let config: Config | 'help';
  try {
    config = readConfig(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    return 2;
  }
  if (config === 'help') {
    console.log(helpText());
    return 0;
  }
  const log = pino({ level: config.logLevel, timestamp: pino.stdTimeFunctions.isoTime });
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.once(name, () => {
      log.info({ signal: name }, 'Was asked to stop');
      stop.abort(new Error(`the program was asked to stop by ${name}`));
    });
  }
  try {
    await run(config, log, stop.signal);
    log.info('Stopped');
    return 0;
  } catch (error) {
    log.fatal({ err: error }, 'Failed');
    return 1;
  }
}
