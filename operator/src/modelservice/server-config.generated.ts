// Generated from server-image/config.schema.json by `npm run generate`. Change that file, not this one.

/**
 * What the model server serves and how. The contract between the operator (or `modelservice run`) and the server image: the operator writes a list of one model, the laptop a list of all. The server warns of a field that it does not know.
 */
export interface ServerConfig {
  /**
   * Version of this form.
   */
  readonly version: 1;
  readonly server?: ServerSettings;
  readonly models: readonly ModelEntry[];
}
export interface ServerSettings {
  /**
   * Address to listen on, for both ports. Default: 0.0.0.0.
   */
  readonly host?: string;
  /**
   * HTTP port of the inference protocols. Default: 8080. 0 takes a free one.
   */
  readonly port?: number;
  /**
   * HTTP port of /metrics. Default: 8082. 0 takes a free one.
   */
  readonly metricsPort?: number;
  /**
   * Default: Info.
   */
  readonly logLevel?: 'Debug' | 'Info' | 'Warning' | 'Error';
  /**
   * Threads of the native engine (TensorFlow's intra-op pool). Default: the CPUs that this process may use.
   */
  readonly engineThreads?: number;
  /**
   * A GPU was asked for: one that is not usable ends the start with the reason GPUNotUsable. Default: false.
   */
  readonly requireGPU?: boolean;
  /**
   * Largest request body in bytes; a larger one gets 413. Default: 67108864 (64 MiB).
   */
  readonly maxRequestBytes?: number;
  /**
   * How long requests in flight may take after SIGTERM, in milliseconds. Default: 30000.
   */
  readonly drainTimeoutMs?: number;
  /**
   * Folder for fetched models. Default: the user's cache folder, below modelservice/models.
   */
  readonly cacheDir?: string;
  /**
   * Folder in which each ConfigMap of a configmap:// URI is mounted under its name. Default: /mnt/configmaps.
   */
  readonly configMapDir?: string;
  /**
   * Replaces the beginning of a file: URI's path, for example {"/examples": "<clone>/examples"}; the longest match wins. Default: none.
   */
  readonly fileRoots?: {
    readonly [k: string]: string;
  };
  /**
   * Whether a model that cannot be served ends the process with its reason in the termination message (a pod) or leaves the others served (a laptop). Default: true.
   */
  readonly failFast?: boolean;
  /**
   * Where the reason for an end is written. Default: /dev/termination-log; skipped where that file cannot be written.
   */
  readonly terminationMessagePath?: string;
}
export interface ModelEntry {
  /**
   * NAME in /v2/models/NAME.
   */
  readonly name: string;
  /**
   * The version served, an integer. Default: "1".
   */
  readonly version?: string;
  /**
   * Where the model lies: file:///…, http(s)://…, npm:package@version/path or configmap://name.
   */
  readonly uri: string;
  /**
   * What the model's content must hash to; verified before the model is loaded.
   */
  readonly digest?: string;
  /**
   * Default: Auto, found out by looking.
   */
  readonly format?: 'Auto' | 'LayersModel' | 'GraphModel';
  /**
   * Default: Auto, by the model and by what this image has.
   */
  readonly engine?: 'Auto' | 'TensorFlow' | 'Wasm' | 'JavaScript';
  readonly batching?: Batching;
}
/**
 * Requests for the model are joined along the first dimension and computed as one batch. Default: they are not joined, and 256 may wait.
 *
 * This interface was referenced by `ServerConfig`'s JSON-Schema
 * via the `definition` "Batching".
 */
export interface Batching {
  /**
   * The most rows that are computed at once.
   */
  readonly maxBatchSize: number;
  /**
   * The longest that a request waits for others while the engine is free, in milliseconds.
   */
  readonly maxDelayMs: number;
  /**
   * The most requests that wait for the engine; the next one gets 429.
   */
  readonly maxQueueSize: number;
}
