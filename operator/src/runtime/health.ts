import { type Answer, type Handler, text } from './http-endpoint.ts';

/** `undefined`: fine; else what is wrong, in a few words. */
export type Check = () => string | undefined;

/** `/healthz`: the process answers. `/readyz`: every check is fine; else 503 with those that are not, a line each. */
export function healthHandler(checks: ReadonlyMap<string, Check>): Handler {
  return async (path) => {
    if (path === '/healthz') return text(200, 'ok\n');
    if (path === '/readyz') return readiness(checks);
    return undefined;
  };
}

function readiness(checks: ReadonlyMap<string, Check>): Answer {
  const problems: string[] = [];
  for (const [name, check] of checks) {
    const problem = check();
    if (problem !== undefined) problems.push(`${name}: ${problem}\n`);
  }
  return problems.length === 0 ? text(200, 'ok\n') : text(503, problems.join(''));
}
