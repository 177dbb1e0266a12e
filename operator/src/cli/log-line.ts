const LEVELS: Readonly<Record<number, string>> = {
  10: 'Trace',
  20: 'Debug',
  30: 'Info',
  40: 'Warning',
  50: 'Error',
  60: 'Fatal',
};
const FATAL = 60;
const UNSHOWN = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err']);

/**
 * TensorFlow's library says these before it has read its own log level (tensorflow/core/util/port.cc and
 * absl/log/internal/log_sink_set.cc): nothing silences them.
 */
const UNSILENCEABLE =
  /^(I[0-9]{4} [0-9:]+\.[0-9]+ +[0-9]+ \S+\.cc:|WARNING: All log messages before absl::InitializeLog)/;

/**
 * One line of the server's JSON log in the words of a terminal; another line as it is. Undefined for what nobody needs
 * to read: chatter, and the last words of a server that ends, which come in its termination message.
 */
export function readableLogLine(line: string): string | undefined {
  if (UNSILENCEABLE.test(line)) return undefined;
  const entry = parsed(line);
  if (entry?.level === FATAL && 'reason' in entry) return undefined;
  if (entry === undefined || typeof entry.msg !== 'string') return line;
  const fields = Object.entries(entry).filter(([key]) => !UNSHOWN.has(key));
  const details = fields.map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const error =
    typeof entry.err === 'object' && entry.err !== null && 'message' in entry.err ? [`${entry.err.message}`] : [];
  const rest = [...error, ...(details.length > 0 ? [`(${details.join(' ')})`] : [])].join(' ');
  return `${LEVELS[Number(entry.level)] ?? 'Info'}: ${entry.msg}${rest === '' ? '' : `: ${rest}`}`;
}

function parsed(line: string): { readonly [key: string]: unknown } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
