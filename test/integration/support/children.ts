import { type EventuallyOptions, eventually } from './eventually.ts';
import { RESOURCES } from './resource-types.ts';
import type { AnyObject } from './test-api.ts';
import { testApi } from './test-run.ts';

/** The kinds of object that a ModelService has. */
export const CHILDREN = ['deployments', 'services', 'horizontalPodAutoscalers'] as const;
export type ChildKind = (typeof CHILDREN)[number];

/** What is at `path`; undefined where a step of it is missing. List entries by number. */
export function field(object: unknown, ...path: readonly (string | number)[]): unknown {
  let value = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}

/** Waits for an object that is as `until` says. */
export function awaitObject(
  kind: keyof typeof RESOURCES,
  ref: { readonly namespace: string; readonly name: string },
  options: EventuallyOptions<AnyObject>,
): Promise<AnyObject> {
  return eventually(() => testApi().get(RESOURCES[kind], ref), options);
}

export interface ConditionSeen {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

export function conditionOf(object: AnyObject, type: string): ConditionSeen | undefined {
  const conditions = (field(object, 'status', 'conditions') ?? []) as readonly ConditionSeen[];
  return conditions.find((condition) => condition.type === type);
}

/** Waits until the status speaks of the present spec and its condition `type` has that status and reason. */
export function awaitCondition(
  ref: { readonly namespace: string; readonly name: string },
  type: string,
  status: string,
  reason: string,
  deadlineMs?: number,
): Promise<AnyObject> {
  return awaitObject('modelServices', ref, {
    because: `${type} of ${ref.name} is ${status} with ${reason}`,
    deadlineMs,
    until: (object) => {
      const condition = conditionOf(object, type);
      return (
        condition?.status === status &&
        condition.reason === reason &&
        condition.observedGeneration === object.metadata.generation
      );
    },
  });
}
