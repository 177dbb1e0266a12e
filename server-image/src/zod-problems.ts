import type { z } from 'zod';

/** What is wrong in a parsed value, in one line with each field's name: it goes into logs, a table and conditions. */
export function problemsOf(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${fieldName(path)}: ${message}`).join('; ');
}

/** `models[0].uri`, as one would write it in JavaScript. */
function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the whole';
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}
