import type { Dispatcher } from 'undici';

type Handler = Dispatcher.DispatchHandler;

/**
 * Calls `guard` when a request's connection is there and the next step is to write the request to it; what it throws is
 * what the request fails with, and nothing of it is sent. A check before the call would be too early: the process may
 * be stopped for any time while the connection is made.
 */
export function guardedDispatcher(dispatcher: Dispatcher, guard: () => void): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => dispatch(options, new GuardedHandler(handler, guard)));
}

/** Passes everything on. */
class GuardedHandler implements Handler {
  readonly #next: Handler;
  readonly #guard: () => void;

  constructor(next: Handler, guard: () => void) {
    this.#next = next;
    this.#guard = guard;
  }

  /** undici's HTTP/1.1 client calls this and then writes to the socket, with nothing in between. */
  onRequestStart(...args: Parameters<NonNullable<Handler['onRequestStart']>>): void {
    this.#guard();
    this.#next.onRequestStart?.(...args);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    this.#next.onRequestUpgrade?.(...args);
  }

  onResponseStart(...args: Parameters<NonNullable<Handler['onResponseStart']>>): void {
    this.#next.onResponseStart?.(...args);
  }

  onResponseData(...args: Parameters<NonNullable<Handler['onResponseData']>>): void {
    this.#next.onResponseData?.(...args);
  }

  onResponseEnd(...args: Parameters<NonNullable<Handler['onResponseEnd']>>): void {
    this.#next.onResponseEnd?.(...args);
  }

  onResponseError(...args: Parameters<NonNullable<Handler['onResponseError']>>): void {
    this.#next.onResponseError?.(...args);
  }
}
