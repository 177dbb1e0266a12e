import { z } from 'zod';

const Port = z.int().min(0).max(65535);

/** The settings of the server itself; every field has a default or may be left out. */
export const ServerSettingsSchema = z.object({
  host: z.string().default('0.0.0.0'),
  port: Port.default(8080),
  metricsPort: Port.default(8082),
  logLevel: z.enum(['Debug', 'Info', 'Warning', 'Error']).default('Info'),
  engineThreads: z.int().min(1).max(1024).optional(),
  requireGPU: z.boolean().default(false),
  maxRequestBytes: z.int().min(1).default(67_108_864),
  drainTimeoutMs: z.int().min(0).default(30_000),
  cacheDir: z.string().optional(),
  configMapDir: z.string().default('/mnt/configmaps'),
  fileRoots: z.record(z.string(), z.string()).default({}),
  failFast: z.boolean().default(true),
  terminationMessagePath: z.string().default('/dev/termination-log'),
});

const Batching = z.object({
  maxBatchSize: z.int().min(2).max(1024),
  maxDelayMs: z.int().min(0).max(1000),
  maxQueueSize: z.int().min(1).max(65_536),
});

const Model = z.object({
  name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/),
  version: z
    .string()
    .regex(/^[0-9]{1,18}$/)
    .optional(),
  uri: z.string().min(1).max(2048),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .optional(),
  format: z.enum(['Auto', 'LayersModel', 'GraphModel']).optional(),
  engine: z.enum(['Auto', 'TensorFlow', 'Wasm', 'JavaScript']).optional(),
  batching: Batching.optional(),
});

/** The zod form of config.schema.json; a test holds the two together. */
export const ServerConfigSchema = z.object({
  version: z.literal(1),
  server: ServerSettingsSchema.prefault({}),
  models: z.array(Model),
});

/** The server's configuration with every default filled in, but for the two that depend on the machine. */
export type ServerConfig = z.output<typeof ServerConfigSchema>;
export type ServerSettings = ServerConfig['server'];
export type ModelEntry = ServerConfig['models'][number];
