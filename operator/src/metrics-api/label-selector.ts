/** One requirement of a label selector; all of them have to hold. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  /** Of In and NotIn. */
  readonly values: readonly string[];
}

/** The text is no label selector. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

const KEY = '(?:[A-Za-z0-9][A-Za-z0-9.-]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?';
const VALUE = '[-A-Za-z0-9_.]*';
const FORMS = {
  equality: new RegExp(`^(${KEY})\\s*(==?|!=)\\s*(${VALUE})$`),
  set: new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
  existence: new RegExp(`^(!?)\\s*(${KEY})$`),
};

/**
 * Reads a label selector in the form that Kubernetes' query parameters have: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
 * Empty: no requirements, which everything meets.
 *
 * @throws {SelectorError}
 */
export function parseSelector(text: string): readonly Requirement[] {
  if (text.trim() === '') return [];
  return splitOutsideParentheses(text).map((part) => parseRequirement(part.trim()));
}

export function matches(requirements: readonly Requirement[], labels: Readonly<Record<string, string>>): boolean {
  return requirements.every((requirement) => {
    const { key, operator, values } = requirement;
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'In') return value !== undefined && values.includes(value);
    // An object without the label has none of the values.
    if (operator === 'NotIn') return value === undefined || !values.includes(value);
    return (value !== undefined) === (operator === 'Exists');
  });
}

/** The one value that the label has to have; undefined where more than one would do. */
export function onlyValueOf(requirements: readonly Requirement[], key: string): string | undefined {
  const found = requirements.find(
    (requirement) => requirement.key === key && requirement.operator === 'In' && requirement.values.length === 1,
  );
  return found?.values[0];
}

function parseRequirement(text: string): Requirement {
  const [, key, sign, value] = FORMS.equality.exec(text) ?? [];
  if (key !== undefined) return { key, operator: sign === '!=' ? 'NotIn' : 'In', values: [value ?? ''] };
  const [, setKey, word, list] = FORMS.set.exec(text) ?? [];
  if (setKey !== undefined) {
    const values = (list ?? '').split(',').map((item) => item.trim());
    if (values.every((item) => new RegExp(`^${VALUE}$`).test(item))) {
      return { key: setKey, operator: word === 'in' ? 'In' : 'NotIn', values };
    }
  }
  const [, not, existingKey] = FORMS.existence.exec(text) ?? [];
  if (existingKey !== undefined)
    return { key: existingKey, operator: not === '!' ? 'DoesNotExist' : 'Exists', values: [] };
  throw new SelectorError(
    `"${text}" is no requirement of a label selector: write KEY=VALUE, KEY!=VALUE, KEY in (A,B), KEY notin (A,B), KEY or !KEY`,
  );
}

function splitOutsideParentheses(text: string): readonly string[] {
  return text.split(/,(?![^()]*\))/);
}
