import type { Intent } from './types.ts';

/**
 * Characters that JSON allows raw inside a string and the API server's YAML reader refuses ("control characters are
 * not allowed"): DEL, the C1 controls, and the two non-characters and the byte order mark at the end of the plane.
 * NEL, LS and PS are line breaks to YAML and would be folded. Escaped, all of them pass.
 */
const notPlainInYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** An intent as JSON that a YAML reader reads the same. */
export function applyBody(intent: Intent): string {
  return JSON.stringify(intent).replace(
    notPlainInYaml,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
