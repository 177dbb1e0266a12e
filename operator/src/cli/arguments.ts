import { parseArgs } from 'node:util';
import type { Engine } from './laptop-config.ts';
import { PLAN_USAGE, type PlanArguments, parsePlan } from './plan-arguments.ts';
import { UsageError } from './usage-error.ts';

export interface RunArguments {
  readonly command: 'run';
  /** Files and folders, as they were written. */
  readonly paths: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly engine: Engine | undefined;
}

export type Arguments =
  | RunArguments
  | PlanArguments
  | { readonly command: 'digest'; readonly args: readonly string[] }
  | { readonly command: 'help' }
  | { readonly command: 'version' };

export const USAGE = `Usage: modelservice COMMAND

  run -f FILE|DIR…      serve the ModelServices of these manifests on this machine
      --host ADDRESS        address to listen on (default 127.0.0.1)
      --port PORT           port of the inference protocols (default 8080; 0 takes a free one)
      --metrics-port PORT   port of /metrics (default 8082; 0 takes a free one)
      --engine ENGINE       TensorFlow, Wasm or JavaScript, in place of what the manifests say
  digest URI|DIR|FILE   print the digest of a model, for spec.model.digest
${PLAN_USAGE}  --help                print this
  --version             print the version
`;

const ENGINES: readonly Engine[] = ['Auto', 'TensorFlow', 'Wasm', 'JavaScript'];

/** @throws UsageError */
export function parseArguments(argv: readonly string[]): Arguments {
  const [command, ...rest] = argv;
  if (command === undefined || command === '--help' || command === '-h' || command === 'help')
    return { command: 'help' };
  if (command === '--version') return { command: 'version' };
  if (command === 'digest') return { command: 'digest', args: rest };
  const asksForHelp = rest.some((arg) => arg === '--help' || arg === '-h');
  if (command === 'run') return asksForHelp ? { command: 'help' } : parseRun(rest);
  if (command === 'plan') return asksForHelp ? { command: 'help' } : parsePlan(rest);
  throw new UsageError(`"${command}" is no command: write run, digest, plan, --help or --version`);
}

function parseRun(args: readonly string[]): RunArguments {
  const { values, positionals } = parsedRun(args);
  // A shell makes several words of `-f *.yaml`.
  const paths = [...(values.filename ?? []), ...positionals];
  if (values.filename === undefined) throw new UsageError('run: say what to serve with -f FILE or -f DIR');
  return {
    command: 'run',
    paths,
    host: values.host ?? '127.0.0.1',
    port: portOf('--port', values.port, 8080),
    metricsPort: portOf('--metrics-port', values['metrics-port'], 8082),
    engine: engineOf(values.engine),
  };
}

function parsedRun(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        filename: { type: 'string', short: 'f', multiple: true },
        host: { type: 'string' },
        port: { type: 'string' },
        'metrics-port': { type: 'string' },
        engine: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(`run: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function portOf(flag: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65535)
    throw new UsageError(`run: ${flag} takes a number from 0 to 65535, not "${text}"`);
  return port;
}

function engineOf(text: string | undefined): Engine | undefined {
  if (text === undefined) return undefined;
  const engine = ENGINES.find((known) => known.toLowerCase() === text.toLowerCase());
  if (engine === undefined) throw new UsageError(`run: --engine takes one of ${ENGINES.join(', ')}, not "${text}"`);
  return engine;
}
