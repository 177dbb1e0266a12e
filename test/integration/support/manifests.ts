import { kubectl } from './kubectl.ts';

/** A ModelService as a person writes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A ModelService of a model in the image, with `spec` in addition. */
export function modelService(name: string, spec: Readonly<Record<string, unknown>> = {}): Manifest {
  return {
    apiVersion: 'modelservice.dev/v1alpha1',
    kind: 'ModelService',
    metadata: { name },
    spec: { model: { uri: 'file:///examples/mnist/model' }, ...spec },
  };
}

/** `kubectl apply -f -`, in `namespace`. */
export function applyManifest(namespace: string, manifest: Manifest, flags: readonly string[] = []): Promise<string> {
  return kubectl(['apply', '--namespace', namespace, ...flags, '-f', '-'], { input: JSON.stringify(manifest) });
}
