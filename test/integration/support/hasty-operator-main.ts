/** Entry point of an operator that waits two seconds for a free GPU, where it otherwise waits half a minute. */
import { helpText, readConfig } from '../../../operator/src/config.ts';
import { runOperator } from '../../../operator/src/operator.ts';
import { runProgram } from '../../../operator/src/runtime/run-program.ts';

process.exitCode = await runProgram({
  readConfig,
  helpText,
  run: (config, log, signal) => runOperator(config, log, signal, { capacityPatienceMs: 2_000 }),
});
