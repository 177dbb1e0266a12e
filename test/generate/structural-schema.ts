import type { JSONSchema } from 'json-schema-to-typescript';

type Json = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema of the objects that an API server serves, from the structural schema of a
 * CustomResourceDefinition. Three differences: a field with a default is always there, so it is required; an
 * int-or-string is both types; unknown fields are pruned, so there are none.
 *
 * Parts that YAML aliases share stay shared, so that one part gets one name.
 */
export function servedSchema(structural: Json): JSONSchema {
  const seen = new Map<Json, Json>();
  function convert(schema: Json): Json {
    const known = seen.get(schema);
    if (known !== undefined) return known;
    const converted = convertOne(schema, convert);
    seen.set(schema, converted);
    return converted;
  }
  return convert(structural) as JSONSchema;
}

function convertOne(schema: Json, convert: (schema: Json) => Json): Json {
  const { title, description, type, properties, items, additionalProperties } = schema;
  const base = { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
  if (schema['x-kubernetes-int-or-string'] === true) return { ...base, type: ['integer', 'string'] };
  if (isObject(properties)) {
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    for (const [name, property] of Object.entries(properties)) {
      if (isObject(property) && property.default !== undefined) required.add(name);
    }
    return {
      ...base,
      type: 'object',
      required: [...required],
      additionalProperties: false,
      properties: mapValues(properties, (property) => (isObject(property) ? convert(property) : property)),
    };
  }
  return {
    ...base,
    type,
    ...(schema.enum === undefined ? {} : { enum: schema.enum }),
    ...(isObject(items) ? { items: convert(items) } : {}),
    ...(isObject(additionalProperties) ? { additionalProperties: convert(additionalProperties) } : {}),
  };
}

function mapValues(object: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
