import { after, afterEach, before } from 'mocha';
import { type OperatorOptions, type OperatorProcess, startOperator } from './operator-process.ts';
import { lastLines } from './program-process.ts';

const LOG_LINES = 60;

/**
 * Runs an operator from a suite's `before` to its `after`, and prints the end of its log after each test that failed.
 *
 * @param options asked for when the hook runs, so that they can name the suite's namespace
 */
export function useOperator(options: () => OperatorOptions | Promise<OperatorOptions>): () => OperatorProcess {
  let operator: OperatorProcess | undefined;
  before('start the operator', async () => {
    operator = await startOperator(await options());
  });
  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || operator === undefined) return;
    console.log(`The end of the operator's log:\n${lastLines(await operator.logs(), LOG_LINES)}`);
  });
  after('stop the operator', async () => {
    await operator?.stop();
  });
  return () => {
    if (operator === undefined)
      throw new Error('The operator runs from the suite\'s "before" hook on; ask for it later.');
    return operator;
  };
}
