/** Entry point of the operator. */
import { helpText, readConfig } from './config.ts';
import { runOperator } from './operator.ts';
import { runProgram } from './runtime/run-program.ts';

process.exitCode = await runProgram({ readConfig, helpText, run: runOperator });
