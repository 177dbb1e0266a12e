import type { Part, PendingRequest } from './pending-request.ts';

/** Requests with rows that wait for the engine, in the order of their arrival. */
export class RequestQueue {
  #waiting: PendingRequest[] = [];
  #rows = 0;

  /** Rows of all requests together. */
  get rows(): number {
    return this.#rows;
  }

  get length(): number {
    return this.#waiting.length;
  }

  get first(): PendingRequest | undefined {
    return this.#waiting[0];
  }

  add(request: PendingRequest): void {
    this.#waiting.push(request);
    this.#rows += request.left;
  }

  remove(request: PendingRequest): void {
    const index = this.#waiting.indexOf(request);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    this.#rows -= request.left;
  }

  /** A copy: what is in the queue may change while it is read. */
  all(): readonly PendingRequest[] {
    return [...this.#waiting];
  }

  /** What the next batch would be made of. */
  ready(): { readonly requests: number; readonly rows: number } {
    const [first] = this.#waiting;
    if (first === undefined) return { requests: 0, rows: 0 };
    if (first.group === undefined) return { requests: 1, rows: first.left };
    let [requests, rows] = [0, 0];
    for (const request of this.#waiting) {
      if (request.group !== first.group) continue;
      requests += 1;
      rows += request.left;
    }
    return { requests, rows };
  }

  /**
   * Takes a batch: the oldest request and those of its group that came after it, while they fit. One that fits no batch
   * is taken in parts, and what is left of it goes to the end, so that it does not hold up the others.
   */
  take(maxRows: number): readonly Part[] {
    const [first] = this.#waiting;
    if (first === undefined) return [];
    if (first.group === undefined) {
      this.#waiting.shift();
      this.#rows -= first.left;
      return [first.take(first.left)];
    }
    const parts: Part[] = [];
    const stay: PendingRequest[] = [];
    const rest: PendingRequest[] = [];
    let space = maxRows;
    for (const request of this.#waiting) {
      const fits = request.left <= space || request.rows > maxRows;
      if (request.group !== first.group || space === 0 || !fits) {
        // Nobody of the group overtakes one that did not fit.
        if (request.group === first.group) space = 0;
        stay.push(request);
        continue;
      }
      const part = request.take(space);
      space -= part.rows;
      this.#rows -= part.rows;
      parts.push(part);
      if (request.left > 0) rest.push(request);
    }
    this.#waiting = [...stay, ...rest];
    return parts;
  }
}
