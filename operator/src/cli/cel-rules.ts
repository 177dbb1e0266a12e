import { Environment } from '@marcbachmann/cel-js';
import { parseQuantity } from '../kube/quantity.ts';

/** One entry of `x-kubernetes-validations`. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** Path below the value that the message is about, such as `.minReplicas`. Default: the value itself. */
  readonly fieldPath?: string;
}

/** Answers whether a value obeys the rule. */
export type CompiledRule = (self: unknown) => boolean;

/** What Kubernetes' library gives under the name `quantity`. */
class Quantity {
  readonly billionths: bigint;

  constructor(text: string) {
    const billionths = parseQuantity(text);
    if (billionths === undefined) throw new Error(`"${text}" is no quantity`);
    this.billionths = billionths;
  }

  compareTo({ billionths }: Quantity): bigint {
    if (this.billionths === billionths) return 0n;
    return this.billionths < billionths ? -1n : 1n;
  }
}

/**
 * A compiler for the rules of a CRD, with the functions that Kubernetes adds to CEL and that the rules use:
 * https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library. It throws for a rule that uses
 * another one.
 */
export function createRuleCompiler(): (rule: string) => CompiledRule {
  const environment = new Environment()
    .registerVariable('self', 'dyn')
    .registerType('Quantity', Quantity)
    .registerFunction('isQuantity(string): bool', (text: string) => parseQuantity(text) !== undefined)
    .registerFunction('quantity(string): Quantity', (text: string) => new Quantity(text))
    .registerFunction('Quantity.compareTo(Quantity): int', (a: Quantity, b: Quantity) => a.compareTo(b));
  return (rule) => {
    const evaluate = environment.parse(rule);
    return (self) => evaluate({ self: celValue(self) }) === true;
  };
}

/** CEL's integers are 64 bits wide and stay apart from its floating-point numbers. */
function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, celValue(inner)]));
  }
  return value;
}
