import { Ajv, type AnySchema, type ErrorObject } from 'ajv';
import type { ModelService } from '../modelservice/resource.ts';
import { type CelRule, createRuleCompiler } from './cel-rules.ts';
import { type FieldProblem, problemOf } from './field-problem.ts';

export type CheckedManifest =
  | { readonly service: ModelService; readonly problems?: never }
  | { readonly problems: readonly FieldProblem[]; readonly service?: never };

/** Checks one manifest; its defaults are filled in in place. */
export type ManifestCheck = (manifest: unknown) => CheckedManifest;

/** A schema as the CRD has it, which Ajv reads too. */
type Schema = { [keyword: string]: unknown };

/** What the API server checks first is the schema, and only where it is obeyed, the rules. */
interface CheckContext {
  readonly rules: boolean;
}

/**
 * The API server's own checks, from the same CRD: schema, unknown fields, defaults and CEL rules.
 *
 * @param crd the parsed CustomResourceDefinition
 */
export function createManifestCheck(crd: unknown): ManifestCheck {
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    strict: false,
    verbose: true,
    passContext: true,
    logger: false,
    formats: { int32: true, int64: true, 'date-time': true },
  });
  const compileRule = createRuleCompiler();
  ajv.addKeyword({
    keyword: 'x-kubernetes-validations',
    // After the properties, whose defaults the rules read.
    post: true,
    errors: 'full',
    compile(rules: readonly CelRule[]) {
      const compiled = rules.map((rule) => ({ ...rule, obeyed: compileRule(rule.rule) }));
      const validate = function (this: CheckContext, data: unknown, at?: { instancePath: string }): boolean {
        validate.errors = this.rules
          ? compiled.filter(({ obeyed }) => !obeyed(data)).map((rule) => ruleError(rule, at?.instancePath ?? ''))
          : [];
        return validate.errors.length === 0;
      };
      validate.errors = [] as Partial<ErrorObject>[];
      return validate;
    },
  });
  ajv.addKeyword({
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    errors: 'full',
    compile(keys: readonly string[]) {
      const validate = (items: unknown[], at?: { instancePath: string }): boolean => {
        const names = items.map((item) => JSON.stringify(keys.map((key) => (item as Schema | null)?.[key])));
        validate.errors = names.flatMap((name, index) =>
          names.indexOf(name) < index ? [duplicateError(name, `${at?.instancePath ?? ''}/${index}`)] : [],
        );
        return validate.errors.length === 0;
      };
      validate.errors = [] as Partial<ErrorObject>[];
      return validate;
    },
  });
  const validate = ajv.compile<ModelService>(strictSchema(crd));
  return (manifest) => {
    for (const rules of [false, true]) {
      const context: CheckContext = { rules };
      if (!validate.call(context as never, manifest)) return { problems: problemsOf(validate.errors ?? []) };
    }
    return { service: manifest as ModelService };
  };
}

function ruleError({ message, fieldPath: below = '' }: CelRule, instancePath: string): Partial<ErrorObject> {
  return {
    keyword: 'rule',
    instancePath: instancePath + below.replaceAll('.', '/'),
    schemaPath: '',
    params: {},
    message,
  };
}

function duplicateError(name: string, instancePath: string): Partial<ErrorObject> {
  return {
    keyword: 'duplicate',
    instancePath,
    schemaPath: '',
    params: {},
    message: `Duplicate value: ${name.slice(1, -1)}`,
  };
}

/** One problem a field: of several that hold for it, the first says enough. */
function problemsOf(errors: readonly ErrorObject[]): FieldProblem[] {
  const problems = new Map<string, FieldProblem>();
  // `anyOf` reports each alternative and then itself; only the last is of use.
  for (const error of errors.filter(({ schemaPath }) => !schemaPath.includes('/anyOf/'))) {
    const problem = problemOf(error);
    if (!problems.has(problem.field)) problems.set(problem.field, problem);
  }
  return [...problems.values()];
}

function strictSchema(crd: unknown): AnySchema {
  const schema = schemaOf(crd);
  if (schema === undefined) throw new Error('The CRD has no version v1alpha1 with a schema');
  const closed = closeObjects(schema) as Schema & { properties: { metadata: Schema } };
  const { metadata } = closed.properties;
  // The API server checks metadata by itself: it has more fields than the CRD may name.
  const named = { ...metadata, required: ['name'], additionalProperties: true };
  return { ...closed, required: ['metadata', 'spec'], properties: { ...closed.properties, metadata: named } };
}

function schemaOf(crd: unknown): Schema | undefined {
  const { spec } = crd as { spec?: { versions?: { name: string; schema?: { openAPIV3Schema?: Schema } }[] } };
  return spec?.versions?.find(({ name }) => name === 'v1alpha1')?.schema?.openAPIV3Schema;
}

/** `kubectl apply` refuses fields that the schema does not know; JSON Schema does so only where it is told to. */
function closeObjects(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closeObjects);
  if (typeof schema !== 'object' || schema === null) return schema;
  const closed = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closeObjects(value)]));
  const isClosed = typeof closed.properties === 'object' && !('additionalProperties' in closed) && 'type' in closed;
  return isClosed ? { ...closed, additionalProperties: false } : closed;
}
