import { appendFileSync } from 'node:fs';
import mocha from 'mocha';

/** The counts of one mocha run; one line of the file that `MODELSERVICE_TEST_SUMMARY` names. */
export interface RunSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** `12 passed, 0 failed, 0 skipped`. */
export function summaryLine({ passed, failed, skipped }: RunSummary): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Mocha's own output, `spec` unless the reporter option `style` says `dot`, ended by the line above. The counts are
 * appended as a line of JSON to the file that the environment variable `MODELSERVICE_TEST_SUMMARY` names, if it is set.
 */
class SummaryReporter {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    const { style } = (options.reporterOptions ?? {}) as { readonly style?: string };
    new (style === 'dot' ? mocha.reporters.Dot : mocha.reporters.Spec)(runner, options);
    const summaryFile = process.env.MODELSERVICE_TEST_SUMMARY ?? '';
    runner.once('end', () => {
      const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
      const summary: RunSummary = { passed: passes, failed: failures, skipped: pending };
      process.stdout.write(`${summaryLine(summary)}\n`);
      if (summaryFile !== '') appendFileSync(summaryFile, `${JSON.stringify(summary)}\n`);
    });
  }
}

// Mocha loads reporters with require(), to which this name is the module.
export { SummaryReporter as 'module.exports' };
