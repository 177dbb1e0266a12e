import { pathToFileURL } from 'node:url';
import { ServerSettingsSchema } from '../config/server-config.ts';
import { errorMessage } from '../failures.ts';
import { createSources } from '../model/create-models.ts';
import { readModelContent } from '../model/model-content.ts';
import { parseModelUri, SCHEMES } from '../model/model-uri.ts';
import type { CommandContext } from './command.ts';

const USAGE = `Usage: digest URI|DIR|FILE…

Prints the digest of a model's content, for spec.model.digest. A URI is fetched as the server does; a folder or a
model's .json file of this machine is read in place.`;

/** `digest URI|DIR|FILE…`: one digest a line; with several models each line ends with the model as it was given. */
export async function digestCommand(args: readonly string[], context: CommandContext): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    context.print(USAGE);
    return 0;
  }
  if (args.length === 0 || args.some((arg) => arg.startsWith('-'))) {
    context.complain(USAGE);
    return 2;
  }
  const { sources, close } = createSources(ServerSettingsSchema.parse({}), context.environment);
  const { signal } = new AbortController();
  try {
    for (const arg of args) {
      const uri = parseModelUri(asUri(arg));
      const location = await sources[uri.scheme].fetch(uri, {
        digest: undefined,
        onProgress: () => undefined,
        signal,
      });
      const { digest } = await readModelContent(location, signal);
      context.print(args.length === 1 ? digest : `${digest}  ${arg}`);
    }
    return 0;
  } catch (error) {
    context.complain(errorMessage(error));
    return 1;
  } finally {
    await close();
  }
}

function asUri(arg: string): string {
  return SCHEMES.some((scheme) => arg.startsWith(`${scheme}:`)) ? arg : pathToFileURL(arg).href;
}
