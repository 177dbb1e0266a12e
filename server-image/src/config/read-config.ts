import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorMessage, ModelFailure } from '../failures.ts';
import { problemsOf } from '../zod-problems.ts';
import { type ServerConfig, ServerConfigSchema } from './server-config.ts';
import { unknownFields } from './unknown-fields.ts';

/** A configuration, and what the server should say of it when it starts. */
export interface ParsedConfig {
  readonly config: ServerConfig;
  /** One sentence for each field that this version does not know. */
  readonly warnings: readonly string[];
}

/** How the configuration is given when the server starts: inline, or in a file. */
export interface ConfigLocation {
  /** The JSON itself, from the environment variable MODELSERVICE_CONFIG. */
  readonly inline: string | undefined;
  /** The path after `--config`; it wins. */
  readonly file: string | undefined;
}

/** @throws ModelFailure `InvalidConfig` */
export async function readConfig({ inline, file }: ConfigLocation): Promise<ParsedConfig> {
  if (file !== undefined) return parseConfigText(await readConfigFile(file), file);
  if (inline !== undefined && inline !== '') return parseConfigText(inline, 'MODELSERVICE_CONFIG');
  throw new ModelFailure(
    'InvalidConfig',
    'The server has no configuration: set MODELSERVICE_CONFIG to its JSON, or start it with --config FILE',
  );
}

/**
 * Parses a configuration's JSON.
 *
 * @param what where the text comes from, for messages
 * @throws ModelFailure `InvalidConfig`
 */
export function parseConfigText(text: string, what: string): ParsedConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ModelFailure('InvalidConfig', `${what} is not valid JSON: ${errorMessage(error)}`, { cause: error });
  }
  return parseConfig(value, what);
}

/** The same for a parsed value, such as the config of a reload message. @throws ModelFailure `InvalidConfig` */
export function parseConfig(value: unknown, what: string): ParsedConfig {
  const parsed = ServerConfigSchema.safeParse(value);
  if (!parsed.success) {
    throw new ModelFailure('InvalidConfig', `${what} is not a server configuration: ${problemsOf(parsed.error)}`, {
      cause: parsed.error,
    });
  }
  const repeated = firstRepeated(parsed.data.models.map(({ name }) => name));
  if (repeated !== undefined) {
    throw new ModelFailure(
      'InvalidConfig',
      `${what} is not a server configuration: models has the name "${repeated}" twice; a server serves one version of a model, so give each its own name`,
    );
  }
  const warnings = unknownFields(z.toJSONSchema(ServerConfigSchema, { io: 'input' }), value).map(
    (field) => `${what} has the field ${field}, which this version does not know`,
  );
  return { config: parsed.data, warnings };
}

async function readConfigFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ModelFailure('InvalidConfig', `Could not read --config ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function firstRepeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}
