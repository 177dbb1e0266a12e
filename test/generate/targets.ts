/** Which TypeScript file is generated from which schema. */
export interface Target {
  /** Path below the repository's root. */
  readonly schema: string;
  /** Paths below the repository's root; rooms that may not import each other get a copy each. */
  readonly outputs: readonly string[];
  readonly form: 'CustomResourceDefinition' | 'JSONSchema';
}

export const targets: readonly Target[] = [
  {
    schema: 'crds/modelservice.yaml',
    outputs: ['operator/src/modelservice/types.generated.ts'],
    form: 'CustomResourceDefinition',
  },
  {
    schema: 'server-image/config.schema.json',
    outputs: ['operator/src/modelservice/server-config.generated.ts', 'server-image/src/config/config.generated.ts'],
    form: 'JSONSchema',
  },
  {
    schema: 'server-image/control.schema.json',
    outputs: ['operator/src/cli/control.generated.ts', 'server-image/src/control/control.generated.ts'],
    form: 'JSONSchema',
  },
];
