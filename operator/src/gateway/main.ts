/** Entry point of the gateway. */
import { runProgram } from '../runtime/run-program.ts';
import { helpText, readConfig } from './config.ts';
import { runGateway } from './gateway.ts';

process.exitCode = await runProgram({ readConfig, helpText, run: runGateway });
