/** Decimal exponents of the SI suffixes, binary exponents of the others (apimachinery's pkg/api/resource). */
const decimal: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binary: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
/** Nothing finer is stored: the API server rounds up to nano. */
const nanoDigits = 9;
const nanoInMilli = 1_000_000n;

const syntax = /^([+-]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?[0-9]{1,3}))?$/;

/** A quantity in billionths, or undefined where the text is none. `1`, `1000m` and `1e0` are one value. */
export function parseQuantity(text: string): bigint | undefined {
  const match = syntax.exec(text);
  if (match === null) return undefined;
  const [, sign = '', number = '', suffix = '', exponent] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const power = nanoDigits - fraction.length + (exponent === undefined ? (decimal[suffix] ?? 0) : Number(exponent));
  let value = BigInt(`${whole}${fraction}`);
  value <<= BigInt(binary[suffix] ?? 0);
  value = power >= 0 ? value * 10n ** BigInt(power) : divideRoundingUp(value, 10n ** BigInt(-power));
  return sign === '-' ? -value : value;
}

/** True when both are quantities of the same value, rounded up to what is stored. Numbers count as their text. */
export function sameQuantity(a: unknown, b: unknown, storedIn: 'nano' | 'milli' = 'nano'): boolean {
  const [left, right] = [quantityOf(a), quantityOf(b)];
  if (left === undefined || right === undefined) return false;
  return storedIn === 'nano'
    ? left === right
    : divideRoundingUp(left, nanoInMilli) === divideRoundingUp(right, nanoInMilli);
}

function quantityOf(value: unknown): bigint | undefined {
  return typeof value === 'string' || typeof value === 'number' ? parseQuantity(String(value)) : undefined;
}

function divideRoundingUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}
