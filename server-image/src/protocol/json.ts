import { InvalidRequest } from './invalid-request.ts';

/** Looking for a mistake holds the thread about ten times as long as parsing did; in longer texts it is not named. */
const MAX_SEARCHED_CHARACTERS = 1 << 20;

/**
 * Parses a JSON body. V8 names the position of some mistakes only; for the others the text is read once more.
 *
 * @throws InvalidRequest with position, line, column and what stands there
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (text.trim() === '') throw new InvalidRequest('body', 'is empty, but JSON is needed');
    const reported = /at position (\d+)/.exec(String(error))?.[1];
    if (reported === undefined && text.length > MAX_SEARCHED_CHARACTERS) {
      throw new InvalidRequest('body', `is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    const position = reported === undefined ? findMistake(text) : Number(reported);
    const { line, column } = placeOf(text, position);
    const found = position >= text.length ? 'the text ends' : `unexpected ${excerpt(text, position)}`;
    throw new InvalidRequest(
      'body',
      `is not valid JSON: ${found} at line ${line}, column ${column} (position ${position})`,
    );
  }
}

/** Both from 1. Counted without cutting the text: a body of nothing but line breaks has a great many lines. */
function placeOf(text: string, position: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let start = 0;
  for (;;) {
    const next = text.indexOf('\n', start) + 1;
    if (next === 0 || next > position) return { line, column: position - start + 1 };
    line += 1;
    start = next;
  }
}

function excerpt(text: string, position: number): string {
  const word = /^[A-Za-z0-9_+.-]{2,20}/.exec(text.slice(position, position + 20))?.[0];
  return JSON.stringify(word ?? String.fromCodePoint(text.codePointAt(position) ?? 0));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON's grammar forbids exactly these inside a string.
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\u0000-\u001f]*)*"/;
const TOKEN = new RegExp(
  String.raw`[ \t\r\n]+|[{}[\],:]|${STRING.source}|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null`,
  'y',
);

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/** Index of the first token that JSON's grammar does not allow there; the text's length when it only ends too early. */
function findMistake(text: string): number {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let position = 0;
  while (position < text.length) {
    TOKEN.lastIndex = position;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return position;
    if (token.trim() !== '') {
      const next = step(token, expected, open);
      if (next === undefined) return position;
      expected = next;
    }
    position += token.length;
  }
  return position;
}

function step(token: string, expected: Expected, open: ('{' | '[')[]): Expected | undefined {
  if (token === '}' || token === ']') {
    const empty = token === '}' ? 'key or }' : 'value or ]';
    if (expected !== empty && expected !== ', or end') return undefined;
    return open.pop() === (token === '}' ? '{' : '[') ? ', or end' : undefined;
  }
  if (token === ',') {
    if (expected !== ', or end' || open.length === 0) return undefined;
    return open.at(-1) === '{' ? 'key' : 'value';
  }
  if (token === ':') return expected === ':' ? 'value' : undefined;
  if (expected === 'key' || expected === 'key or }') return token.startsWith('"') ? ':' : undefined;
  if (expected !== 'value' && expected !== 'value or ]') return undefined;
  if (token !== '{' && token !== '[') return ', or end';
  open.push(token);
  return token === '{' ? 'key or }' : 'value or ]';
}
