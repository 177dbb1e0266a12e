import type { ModelEntry } from '../modelservice/server-config.generated.ts';
import type { ModelProgressMessage } from './control.generated.ts';

/** Where one model is, as it is shown. */
export interface ModelState {
  readonly name: string;
  readonly version: string;
  readonly phase: ModelProgressMessage['phase'] | 'Waiting';
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  readonly format?: string;
  readonly engine?: string;
  readonly reason?: string;
  readonly message?: string;
  /** What answers until this has become ready, and goes on where it fails. */
  readonly former?: ModelState;
}

/** The states by the models' names, in the order of the list. */
export type ModelStates = ReadonlyMap<string, ModelState>;

/** The states after a new list: what did not change stays as it is. */
export function statesFor(
  states: ModelStates,
  before: readonly ModelEntry[],
  after: readonly ModelEntry[],
): ModelStates {
  const unchanged = new Set(before.map((entry) => JSON.stringify(entry)));
  return new Map(
    after.map((entry) => {
      const { name, version = '1' } = entry;
      const known = states.get(name);
      if (known !== undefined && unchanged.has(JSON.stringify(entry))) return [name, known];
      const former = known?.phase === 'Ready' ? known : known?.former;
      return [name, { name, version, phase: 'Waiting', ...(former === undefined ? {} : { former }) }];
    }),
  );
}

/** The states after a message; one of a model that is not in the list any more changes nothing. */
export function statesAfter(states: ModelStates, message: ModelProgressMessage): ModelStates {
  const { type: _, model, ...news } = message;
  const known = states.get(model);
  if (known === undefined || known.version !== message.version || message.phase === 'Removed') return states;
  return new Map(states).set(model, { ...known, ...news });
}

/** Whether nothing more will happen by itself. */
export function isSettled(states: ModelStates): boolean {
  return [...states.values()].every(({ phase }) => phase === 'Ready' || phase === 'Failed');
}

/** One line for each model that is on its way. */
export function progressLines(states: ModelStates): string[] {
  const width = Math.max(...[...states.keys()].map((name) => name.length), 0);
  return [...states.values()]
    .filter(({ phase }) => phase !== 'Ready' && phase !== 'Failed')
    .map((state) => `  ${state.name.padEnd(width)}  ${phaseText(state)}`);
}

const HEADER = ['MODEL', 'VERSION', 'FORMAT', 'ENGINE', 'URL'];

const PHASES: Readonly<Record<ModelState['phase'], string>> = {
  Waiting: 'waiting',
  Fetching: 'fetching',
  Verifying: 'verifying',
  Loading: 'loading',
  WarmingUp: 'warming up',
  Ready: 'ready',
  Failed: 'failed',
  Removed: 'removed',
};

export function phaseText({ phase, bytesDone, bytesTotal }: ModelState): string {
  if (phase !== 'Fetching' || bytesDone === undefined) return PHASES[phase];
  const share = bytesTotal ? ` of ${megabytes(bytesTotal)} (${Math.floor((bytesDone / bytesTotal) * 100)} %)` : '';
  return `${PHASES[phase]} ${megabytes(bytesDone)}${share}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The models that are served, as a table, then those that are not and why. */
export function servedTable(states: ModelStates, url: string): string {
  const all = [...states.values()];
  const answering = all.flatMap((state) => (state.phase === 'Ready' ? state : (state.former ?? [])));
  const rows = answering.map(({ name, version, format = '', engine = '' }) => [
    ...[name, version, format, engine],
    `${url}/v2/models/${name}`,
  ]);
  const table = rows.length === 0 ? ['No model is served'] : aligned([HEADER, ...rows]);
  return [...table, ...all.filter(({ phase }) => phase === 'Failed').map(failureLine)].join('\n');
}

function failureLine({ name, reason = 'Failed', message = '', former }: ModelState): string {
  return former === undefined
    ? `${name} cannot be served, ${reason}: ${message}`
    : `${name} is served as before, because the change cannot be, ${reason}: ${message}`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
