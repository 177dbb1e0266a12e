import type { ErrorObject } from 'ajv';

/** What is wrong with one field, and what to write instead. */
export interface FieldProblem {
  /** Such as `spec.server.env[0].name`. */
  readonly field: string;
  readonly message: string;
}

/** Says an error of the schema in the words of somebody who writes manifests. */
export function problemOf(error: ErrorObject): FieldProblem {
  const field = fieldPath(error.instancePath);
  const { params, parentSchema } = error;
  switch (error.keyword) {
    case 'required':
      return { field: join(field, String(params.missingProperty)), message: 'Required value' };
    case 'additionalProperties': {
      const known = Object.keys((parentSchema?.properties ?? {}) as object);
      const message = `unknown field; ${field === '' ? 'the manifest' : field} has: ${known.join(', ')}`;
      return { field: join(field, String(params.additionalProperty)), message };
    }
    case 'enum': {
      const values = params.allowedValues.map((value: unknown) => JSON.stringify(value)).join(', ');
      return { field, message: `Unsupported value: ${shown(error.data)}: supported values: ${values}` };
    }
    case 'type': {
      const quotes =
        params.type === 'string' && typeof error.data !== 'object' ? `; write "${error.data}" in quotes` : '';
      return { field, message: `must be of type ${params.type}, not ${shown(error.data)}${quotes}` };
    }
    case 'minimum':
      return { field, message: `must be greater than or equal to ${params.limit}` };
    case 'maximum':
      return { field, message: `must be less than or equal to ${params.limit}` };
    case 'anyOf':
      return { field, message: `must be an integer or a string, not ${shown(error.data)}` };
    default:
      return { field, message: error.message ?? `does not obey the schema's "${error.keyword}"` };
  }
}

/** A JSON pointer as people write the path of a field. */
export function fieldPath(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(join, '');
}

function join(path: string, part: string): string {
  if (/^[0-9]+$/.test(part)) return `${path}[${part}]`;
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(part)) return `${path}["${part}"]`;
  return path === '' ? part : `${path}.${part}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
