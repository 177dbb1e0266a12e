/** Entry point of the operator: reads the settings, wires signals and logging, and ends with a status. */
import { pino } from 'pino';
import { ConfigError, helpText, type OperatorConfig, readConfig } from './config.ts';
import { runOperator } from './operator.ts';

async function main(): Promise<number> {
  let config: OperatorConfig | 'help';
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
      stop.abort(new Error(`the operator was asked to stop by ${name}`));
    });
  }
  try {
    await runOperator(config, log, stop.signal);
    log.info('Stopped');
    return 0;
  } catch (error) {
    log.fatal({ err: error }, 'Operator failed');
    return 1;
  }
}

process.exitCode = await main();
