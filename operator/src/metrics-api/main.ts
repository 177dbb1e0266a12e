/** Entry point of the metrics API. */
import { runProgram } from '../runtime/run-program.ts';
import { helpText, readConfig } from './config.ts';
import { runMetricsApi } from './metrics-api.ts';

process.exitCode = await runProgram({ readConfig, helpText, run: runMetricsApi });
