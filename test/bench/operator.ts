/**
 * `npm run bench:operator`: what the operator and the metrics API do on a real control plane on this machine, as tables in
 * Markdown. (a) 1,000 autoscalers, as the stock controller syncs them: how long its queries take, through the API server
 * and in the metrics API, with all pods well and with one in three hung, and how often it comes to each; (b) how fast
 * the value follows a step in load at a real model server; (c) how long 1,000 ModelServices take to their children.
 * About ten minutes. Everything shares this machine's cores: the control plane, etcd, the pods, and what is measured.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { installCustomResource } from '../integration/support/custom-resources.ts';
import { beginTestRun, endTestRun } from '../integration/support/test-run.ts';
import { benchAutoscalers } from './operator/autoscalers.ts';
import { benchFreshness } from './operator/freshness.ts';

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    repetitions: { type: 'string', default: '5' },
    only: { type: 'string' },
  },
});
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const { api, cluster } = await beginTestRun(stop.signal, (line) => console.log(line));
try {
  console.log(
    `${cluster.description}; ${availableParallelism()} CPUs (${cpus()[0]?.model}), Node ${process.versions.node}`,
  );
  await installCustomResource(api);
  if (values.only !== 'autoscalers') await benchFreshness(Number(values.repetitions), stop.signal);
  if (values.only !== 'freshness') {
    await benchAutoscalers(Number(values.services), Number(values.seconds) * 1000, stop.signal);
  }
} finally {
  await endTestRun();
}
