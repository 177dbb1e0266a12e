import pino, { type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** The levels of the configuration, as pino calls them. */
const LEVELS = { Debug: 'debug', Info: 'info', Warning: 'warn', Error: 'error' } as const;

export type LogLevel = keyof typeof LEVELS;

/**
 * A logger that writes one JSON object a line. Written synchronously: the line that says why a process ends must not
 * be lost with it, and requests that succeed log nothing above Debug.
 */
export function createLogger(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ sync: true }),
): Logger {
  return pino({ level: LEVELS[level], base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}
