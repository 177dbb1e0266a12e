import { load } from 'js-yaml';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { servedSchema } from './structural-schema.ts';
import type { Target } from './targets.ts';

/** The text of the files that `target` describes. */
export async function render(target: Target, schemaText: string): Promise<string> {
  if (target.form === 'Copy') return schemaText;
  const schema = target.form === 'JSONSchema' ? (JSON.parse(schemaText) as JSONSchema) : ofCustomResource(schemaText);
  const types = await compile(schema, schema.title ?? 'Root', {
    additionalProperties: false,
    bannerComment: `// Generated from ${target.schema} by \`npm run generate\`. Change that file, not this one.`,
    ignoreMinAndMaxItems: true,
    strictIndexSignatures: false,
    unreachableDefinitions: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  return readonlyTypes(types, target.schema);
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: Readonly<Record<string, unknown>> } }[];
  };
}

function ofCustomResource(text: string): JSONSchema {
  const [version] = (load(text) as CustomResourceDefinition).spec.versions;
  if (version === undefined) throw new Error('The CustomResourceDefinition has no version: add one to spec.versions');
  return servedSchema(version.schema.openAPIV3Schema);
}

/** The generator knows no `readonly`; its output is regular enough to add it line by line. */
function readonlyTypes(text: string, source: string): string {
  if (/\}\[\]/.test(text)) {
    throw new Error(`${source}: an array's items are an object without a name: give that schema a title`);
  }
  return `${text.trimEnd()}\n`
    .replace(/\/\*\*\n \* This interface was referenced by[^/]*\*\/\n/g, '')
    .replace(/^(\s+)((?:[A-Za-z_]\w*|'[^']+')\??: |\[k: string\]: )/gm, '$1readonly $2')
    .replace(/(: |\| |\()((?:[A-Za-z]\w*|\([^()]*\))\[\])/g, '$1readonly $2');
}
