import type { ModelEntry } from '../modelservice/server-config.generated.ts';
import type { LiveOutput } from './live-output.ts';
import { readableLogLine } from './log-line.ts';
import {
  isSettled,
  type ModelStates,
  phaseText,
  progressLines,
  servedTable,
  statesAfter,
  statesFor,
} from './models-view.ts';
import type { ServerEvents } from './server-process.ts';
import type { TerminationMessage } from './work-folder.ts';

/** The ports that the server was told to listen on. */
export interface Ports {
  readonly port: number;
  readonly metricsPort: number;
}

/** Shows where the models are, and what is served when they have got there. */
export interface ServingView extends ServerEvents {
  /** The server was told to serve `after` in place of `before`. */
  expect(before: readonly ModelEntry[], after: readonly ModelEntry[]): void;
  serverEnded(how: string, why: TerminationMessage | undefined, ports: Ports): void;
}

/**
 * @param live whether progress can be drawn in place; elsewhere each step is a line
 * @param sampleRequest answers the path of a request to try with a model, where there is one
 */
export function createServingView(
  out: LiveOutput,
  live: boolean,
  sampleRequest: (name: string) => string | undefined,
): ServingView {
  let states: ModelStates = new Map();
  let url: string | undefined;
  let isShown = false;

  function update(): void {
    out.draw(progressLines(states));
    if (isShown || url === undefined || !isSettled(states)) return;
    isShown = true;
    out.print([`\n${servedTable(states, url)}`, ...tryIt(states, url, sampleRequest)].join('\n\n'));
  }
  return {
    expect(before, after) {
      states = statesFor(states, before, after);
      isShown = false;
      update();
    },
    onMessage(message) {
      if (message.type === 'listening') url = message.url;
      else {
        const former = states.get(message.model)?.phase;
        states = statesAfter(states, message);
        const state = states.get(message.model);
        if (!live && state !== undefined && state.phase !== former) out.print(`${state.name}: ${phaseText(state)}`);
      }
      update();
    },
    onLine(line) {
      const readable = readableLogLine(line);
      if (readable !== undefined) out.print(readable);
    },
    serverEnded(how, why, ports) {
      out.draw([]);
      if (why?.reason === 'PortInUse') out.print(portInUse(why.message, ports));
      else if (why) out.print(`The server ended, ${why.reason}: ${why.message}`);
      else out.print(`The server ended unexpectedly (${how})`);
    },
  };
}

/** The server names its own settings; here they are flags. */
function portInUse(message: string, { port, metricsPort }: Ports): string {
  const [taken, flag] = message.includes('metricsPort') ? [metricsPort, '--metrics-port'] : [port, '--port'];
  return `Port ${taken} is taken by another program: stop it, or give another port with ${flag} (0 takes a free one)`;
}

/** A word as a POSIX shell must be given it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command that asks the first model that has a sample request. */
function tryIt(states: ModelStates, url: string, sampleRequest: (name: string) => string | undefined): string[] {
  for (const { name, phase } of states.values()) {
    const request = phase === 'Ready' ? sampleRequest(name) : undefined;
    if (request !== undefined)
      return [`Try it:\n  curl -s ${url}/v2/models/${name}/infer -d ${shellWord(`@${request}`)}`];
  }
  return [];
}
