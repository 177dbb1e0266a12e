// Runs as a process of its own, started by process-guard.ts: it owns the processes of one test run and ends with the
// channel to the run. However the run ends, by SIGKILL too, its processes end and its folder is removed.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import type { GuardEvent, GuardOrder } from './process-guard.ts';

const GRACE_MS = 5_000;
const children = new Map<number, { readonly child: ChildProcess; readonly stopSignal: NodeJS.Signals }>();
let folder: string | undefined;
let ending = false;

process.on('message', (order: GuardOrder) => {
  if (order.type === 'folder') folder = order.path;
  if (order.type === 'start') start(order);
  if (order.type === 'kill') children.get(order.id)?.child.kill(order.signal);
});
process.on('disconnect', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);

function start(order: Extract<GuardOrder, { type: 'start' }>): void {
  const log = openSync(order.logFile, 'a');
  const child = spawn(order.command, order.args, { stdio: ['ignore', log, log], env: order.env, cwd: order.cwd });
  closeSync(log);
  children.set(order.id, { child, stopSignal: order.stopSignal });
  child.on('error', (error) => {
    children.delete(order.id);
    tell({ type: 'exit', id: order.id, reason: error.message });
    if (ending) finish();
  });
  child.on('exit', (code, signal) => {
    children.delete(order.id);
    tell({ type: 'exit', id: order.id, reason: code === null ? `signal ${signal}` : `exit status ${code}` });
    if (ending) finish();
  });
}

function tell(event: GuardEvent): void {
  if (process.connected) process.send?.(event);
}

function end(): void {
  if (ending) return;
  ending = true;
  // Last started, first stopped: the API server before its etcd.
  for (const { child, stopSignal } of [...children.values()].reverse()) child.kill(stopSignal);
  setTimeout(() => {
    for (const { child } of children.values()) child.kill('SIGKILL');
  }, GRACE_MS).unref();
  finish();
}

function finish(): void {
  if (children.size > 0) return;
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(0);
}
