/** Entry point of the operator. */
import { helpText, readConfig } from './config.ts';
import { runOperator } from './operator.ts';
import { runProgram } from './runtime/run-program.ts';

// At once: the lease may be another's by now, and nothing that is still under way is to be waited for.
process.exit(await runProgram({ readConfig, helpText, run: runOperator }));
