const LONGEST_MESSAGE = 1000;

/** Somebody else's text, such that it fits a condition. */
export function shortened(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE - 1)}…`;
}

/** Somebody else's text as a part of a sentence. */
export function withoutFullStop(text: string): string {
  return shortened(text.trim()).replace(/\.$/, '');
}
