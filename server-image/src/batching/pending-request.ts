import type { Tensors } from './joinable.ts';
import { joinRows, sliceRows } from './rows.ts';

/** One inference that somebody waits for. */
export interface InferCall {
  readonly inputs: Tensors;
  /** Names of the outputs wanted, in the order wanted. */
  readonly outputs: readonly string[];
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
  /** The moment of the clock by which the inference must have begun; what cannot is refused. */
  readonly deadlineMs: number;
}

/** Some rows of a request, in one batch; all rows of most. */
export interface Part {
  readonly request: PendingRequest;
  readonly start: number;
  readonly rows: number;
}

/** A request from its arrival to its answer, handed to the engine in one part or in several. */
export class PendingRequest {
  readonly call: InferCall;
  readonly rows: number;
  /** Requests of one group can be joined; undefined: this one runs alone and whole. */
  group: string | undefined;
  readonly arrivedMs: number;
  readonly answer: Promise<Tensors>;
  readonly #resolve: (outputs: Tensors) => void;
  readonly #reject: (error: Error) => void;
  readonly #done: { readonly start: number; readonly outputs: Tensors }[] = [];
  #taken = 0;
  #answered = 0;
  #settled = false;

  constructor(call: InferCall, rows: number, group: string | undefined, arrivedMs: number) {
    this.call = call;
    this.rows = rows;
    this.group = group;
    this.arrivedMs = arrivedMs;
    const { promise, resolve, reject } = Promise.withResolvers<Tensors>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Rows that no batch has taken yet. */
  get left(): number {
    return this.rows - this.#taken;
  }

  get settled(): boolean {
    return this.#settled;
  }

  take(most: number): Part {
    const part = { request: this, start: this.#taken, rows: Math.min(most, this.left) };
    this.#taken += part.rows;
    return part;
  }

  /** @param outputs holds at least the outputs wanted, for the rows of one part */
  deliver(start: number, rows: number, outputs: Tensors): void {
    if (this.#settled) return;
    this.#done.push({ start, outputs });
    this.#answered += rows;
    if (this.#answered < this.rows) return;
    const parts = this.#done.sort((a, b) => a.start - b.start);
    const joined = new Map(
      this.call.outputs.map((name) => {
        const tensors = parts.map((part) => tensorOf(part.outputs, name));
        const [only] = tensors;
        return [name, tensors.length === 1 && only !== undefined ? only : joinRows(tensors)];
      }),
    );
    this.#settled = true;
    this.#resolve(joined);
  }

  fail(error: Error): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#reject(error);
  }
}

/** The inputs of a batch: one copy of each part's rows, or the request's own tensors where it is alone in it. */
export function inputsOf(parts: readonly Part[]): Tensors {
  const [first] = parts;
  if (first === undefined) throw new RangeError('A batch holds at least one request');
  if (parts.length === 1 && first.rows === first.request.rows) return first.request.call.inputs;
  return new Map(
    [...first.request.call.inputs.keys()].map((name) => [
      name,
      joinRows(parts.map(({ request, start, rows }) => sliceRows(tensorOf(request.call.inputs, name), start, rows))),
    ]),
  );
}

/** The outputs that any of the parts wants. */
export function outputsOf(parts: readonly Part[]): readonly string[] {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first?.request.call.outputs ?? [];
  return [...new Set(parts.flatMap(({ request }) => request.call.outputs))];
}

function tensorOf(tensors: Tensors, name: string): ReturnType<typeof joinRows> {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`The engine gave no tensor "${name}"`);
  return tensor;
}
