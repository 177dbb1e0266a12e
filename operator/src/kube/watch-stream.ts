import type { WatchEvent } from './api.ts';
import { linesOf } from './lines.ts';
import { apiErrorOfEvent } from './status.ts';
import type { KubeObject } from './types.ts';

interface RawEvent {
  readonly type?: unknown;
  readonly object?: unknown;
}

/** Reads a watch's answer: one JSON event a line. Throws the ApiError of an ERROR event; an unknown type throws. */
export async function* watchEventsOf<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
  attempt: string,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of linesOf(chunks)) {
    const event = JSON.parse(line) as RawEvent;
    switch (event.type) {
      case 'ADDED':
      case 'MODIFIED':
      case 'DELETED':
        yield { type: event.type, object: event.object as T };
        break;
      case 'BOOKMARK':
        yield { type: 'BOOKMARK', resourceVersion: (event.object as KubeObject).metadata.resourceVersion };
        break;
      case 'ERROR':
        throw apiErrorOfEvent(attempt, event.object);
      default:
        throw new TypeError(`the watch sent an event of the unknown type ${JSON.stringify(event.type)}`);
    }
  }
}
