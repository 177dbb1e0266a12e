// Generated from server-image/control.schema.json by `npm run generate`. Change that file, not this one.

/**
 * What the server and the process that started it tell each other over Node's IPC channel, where there is one. `modelservice run` uses it; a pod has no such channel.
 */
export type ControlMessage = ReloadMessage | ModelProgressMessage | ServerListeningMessage;

/**
 * To the server: serve this list of models from now on. A changed model is loaded beside the old one and replaces it when it is ready; requests in flight finish on the old one. A changed model that cannot be loaded leaves the old one serving. `server` settings do not change while it runs.
 */
export interface ReloadMessage {
  readonly type: 'reload';
  /**
   * A ServerConfig, see config.schema.json.
   */
  readonly config: {};
}
/**
 * From the server: where one model is.
 */
export interface ModelProgressMessage {
  readonly type: 'model';
  readonly model: string;
  readonly version: string;
  readonly phase: 'Fetching' | 'Verifying' | 'Loading' | 'WarmingUp' | 'Ready' | 'Failed' | 'Removed';
  /**
   * Bytes fetched so far, in phase Fetching.
   */
  readonly bytesDone?: number;
  /**
   * Bytes to fetch, where known.
   */
  readonly bytesTotal?: number;
  /**
   * From phase Loading on.
   */
  readonly format?: string;
  /**
   * From phase Loading on.
   */
  readonly engine?: string;
  /**
   * From phase Verifying on.
   */
  readonly digest?: string;
  /**
   * In phase Failed: the typed reason.
   */
  readonly reason?: string;
  /**
   * In phase Failed: what is wrong and what to do.
   */
  readonly message?: string;
}
/**
 * From the server: its sockets accept connections (models may still be loading).
 */
export interface ServerListeningMessage {
  readonly type: 'listening';
  readonly url: string;
  readonly metricsUrl: string;
}
