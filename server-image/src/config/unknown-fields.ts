/** As much of a JSON schema as is needed to walk along it. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/**
 * The fields of a value that its schema does not list, as paths like `server.colour` and `models[0].shade`. Objects
 * whose schema lists no properties may hold anything.
 */
export function unknownFields(schema: unknown, value: unknown): string[] {
  return walk(schema as Schema, value, '');
}

function walk(schema: Schema, value: unknown, at: string): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, index) => walk(items, item, `${at}[${index}]`));
  }
  const { properties } = schema;
  if (properties === undefined || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => {
    const path = at === '' ? name : `${at}.${name}`;
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return known === undefined ? [path] : walk(known, child, path);
  });
}
