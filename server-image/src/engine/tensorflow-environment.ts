/**
 * Sets what TensorFlow reads from the environment once, when its library is loaded. It must be the main thread's
 * `process.env`: an engine thread's own environment never reaches the library. What the owner has set stays.
 *
 * - `TF_NUM_INTRAOP_THREADS`: TensorFlow's own default follows the machine's cores, not the container's quota
 * - `TF_FORCE_GPU_ALLOW_GROWTH`: else TensorFlow takes all of a GPU's memory, also where it is shared
 * - `TF_CPP_MIN_LOG_LEVEL`: 2 leaves errors
 *
 * @param threads threads that one operation may use
 */
export function setTensorflowEnvironment(environment: NodeJS.ProcessEnv, threads: number): void {
  environment.TF_NUM_INTRAOP_THREADS ??= String(threads);
  environment.TF_FORCE_GPU_ALLOW_GROWTH ??= 'true';
  environment.TF_CPP_MIN_LOG_LEVEL ??= '2';
}
