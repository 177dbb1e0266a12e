/**
 * Tells what this machine lacks. On a developer's machine what a hook prepares is reported as skipped then, never as
 * passed; CI has everything, so there it is a failure.
 *
 * @param error one sentence that says what to install
 * @throws that error in CI, else what makes mocha skip
 */
export function skipOutsideCI(context: Mocha.Context, error: Error): never {
  if (isCI()) throw error;
  console.log(error.message);
  return context.skip();
}

export function isCI(): boolean {
  return !['', 'false', '0'].includes(process.env.CI ?? '');
}
