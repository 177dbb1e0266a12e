import type { ModelLocation } from '../model-content.ts';
import type { ModelUri } from '../model-uri.ts';

export interface FetchOptions {
  /** `sha256:…` of the content that is wanted, where it is known: one that is in the cache is not fetched again. */
  readonly digest: string | undefined;
  /** Bytes so far, and in all where that is known. */
  onProgress(bytesDone: number, bytesTotal: number | undefined): void;
  readonly signal: AbortSignal;
}

/** One way to get at a model: brings it into a folder of this machine. */
export interface ModelSource {
  /** @throws ModelFailure `ModelNotFound`, `FetchFailed`, `InvalidConfig`, `InvalidModel` */
  fetch(uri: ModelUri, options: FetchOptions): Promise<ModelLocation>;
}
