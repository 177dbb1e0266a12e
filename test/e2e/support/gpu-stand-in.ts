import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** An image for pods with a GPU where there is none: the server, which computes with WebAssembly whatever it is told. */
export const GPU_STAND_IN = 'modelservice-test-gpu:1';

const ENTRYPOINT = [
  'const config = JSON.parse(process.env.MODELSERVICE_CONFIG);',
  'delete config.server.requireGPU;',
  "for (const model of config.models) model.engine = 'Wasm';",
  'process.env.MODELSERVICE_CONFIG = JSON.stringify(config);',
  "import('/app/server-image/bin/server.js');",
].join(' ');

/** @param server the image of the server for WebAssembly, which Docker has */
export async function makeGpuStandIn(server: string): Promise<void> {
  const child = spawn('docker', ['build', '--tag', GPU_STAND_IN, '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.end(`FROM ${server}\nENTRYPOINT ${JSON.stringify(['node', '--eval', ENTRYPOINT])}\n`);
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (code !== 0) throw new Error(`docker build ended with exit status ${code}: ${stderr.trim()}`);
}
