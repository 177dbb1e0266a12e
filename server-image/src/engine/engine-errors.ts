import type { EngineCallFailure } from './engine-messages.ts';

/** A model that TensorFlow.js could load and this server cannot serve. */
export class InvalidModelError extends Error {
  override readonly name = 'InvalidModelError';
}

/**
 * How TensorFlow.js 4.22 words what an engine lacks; the first group is the operation, layer or function.
 * Sources: tfjs-core engine.ts (`runKernelFunc`), tfjs-converter operation_executor.ts and executors/*.ts,
 * tfjs-layers generic_utils.ts (`deserializeKerasObject`).
 */
const MISSING = [
  /Kernel '([^']+)' not registered for backend/,
  /Unknown op '([^']+)'/,
  /Node type (\S+) is not implemented/,
  /Unknown (?:layer|activation|initializer|regularizer|constraint): (\w+)/i,
];

const OUT_OF_MEMORY = /out of memory|allocation failed|bad_alloc|\bOOM\b|RESOURCE_EXHAUSTED|cannot enlarge memory/i;

/** An error of an engine as plain data that crosses threads. */
export function describeEngineError(error: unknown): EngineCallFailure {
  const failure = kindOf(error);
  return isFatalEngineError(error) ? { ...failure, fatal: true } : failure;
}

function kindOf(error: unknown): EngineCallFailure {
  const message = textOf(error);
  if (error instanceof InvalidModelError) return { kind: 'InvalidModel', message };
  for (const pattern of MISSING) {
    const operation = pattern.exec(message)?.[1];
    if (operation !== undefined) return { kind: 'UnsupportedOperation', message, operation };
  }
  return { kind: OUT_OF_MEMORY.test(message) ? 'OutOfMemory' : 'Failed', message };
}

/** In one line: it becomes part of sentences, of a table and of conditions. */
function textOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
  return text === '' ? 'TensorFlow.js gave no reason' : text;
}

/**
 * Whether the engine can go on after this error. A trap inside WebAssembly leaves its memory in an unknown state; all
 * other errors are thrown before or after the engine's own code.
 */
function isFatalEngineError(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}

/** A call to an engine thread that failed; see {@link EngineCallFailure}. */
export class EngineCallError extends Error {
  override readonly name = 'EngineCallError';
  readonly kind: EngineCallFailure['kind'];
  readonly operation: string | undefined;
  /** The engine's thread ended with it; another takes its place. */
  readonly fatal: boolean;

  constructor(failure: EngineCallFailure) {
    super(failure.message);
    this.kind = failure.kind;
    this.operation = failure.operation;
    this.fatal = failure.fatal === true;
  }
}
