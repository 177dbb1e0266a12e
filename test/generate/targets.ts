/** Which file is generated from which contract. */
export interface Target {
  /** Path below the repository's root. */
  readonly schema: string;
  /** Paths below the repository's root; rooms that may not import each other get a copy each. */
  readonly outputs: readonly string[];
  /** What the schema is; `Copy` repeats it as it is, for a room that reads nothing outside of itself. */
  readonly form: 'CustomResourceDefinition' | 'JSONSchema' | 'Copy';
}

export const targets: readonly Target[] = [
  {
    schema: 'crds/modelservice.yaml',
    outputs: ['operator/src/modelservice/types.generated.ts'],
    form: 'CustomResourceDefinition',
  },
  {
    schema: 'crds/modelservice.yaml',
    outputs: ['helm/modelservice-operator/files/modelservice.yaml'],
    form: 'Copy',
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
