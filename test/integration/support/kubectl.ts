import { runTool, type ToolOptions } from './run-tool.ts';

export { ToolError as KubectlError } from './run-tool.ts';

/**
 * Runs the real kubectl against the test cluster, as a person would.
 *
 * @returns its stdout
 * @throws {KubectlError} when its exit status is not 0
 */
export function kubectl(args: readonly string[], options: ToolOptions = {}): Promise<string> {
  return runTool('kubectl', args, options);
}
