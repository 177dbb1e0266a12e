/**
 * A failure that trying again cannot cure, because what was asked for is wrong. The controller counts and logs it, and
 * looks again only when the object changes.
 */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}
