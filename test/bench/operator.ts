/**
 * `npm run bench:operator`: what the operator and the metrics API do on a real control plane on this machine. It prints
 * tables in Markdown and writes them to test/bench/results. (a) `services`: how long 100, 1,000 and 5,000 ModelServices
 * take to their children and until they are Ready, beside a plain loop, the requests that it takes, memory, and what is
 * written at rest; (b) `autoscalers`: 1,000 of them, as the stock controller syncs them: how long its queries take,
 * through the API server and in the metrics API, with all pods well and with one in three hung, and how often it comes
 * to each; (c) `freshness`: how fast the value follows a step in load at a real model server. About half an hour.
 * Everything shares this machine's cores: the control plane, etcd, the pods, and what is measured.
 *
 *   npm run bench:operator -- --only=services --services=100,1000
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installCustomResource } from '../integration/support/custom-resources.ts';
import { beginInnerTestRun, beginTestRun, endTestRun, testCluster, testRun } from '../integration/support/test-run.ts';
import { benchAutoscalers } from './operator/autoscalers.ts';
import { benchFreshness } from './operator/freshness.ts';
import { Report } from './operator/report.ts';
import { measureServices, type ServicesFigures } from './operator/services.ts';
import { servicesSection } from './operator/services-section.ts';

const { values } = parseArgs({
  options: {
    /** Sections, separated by commas. */
    only: { type: 'string', default: 'services,autoscalers,freshness' },
    services: { type: 'string', default: '100,1000,5000' },
    'rest-seconds': { type: 'string', default: '60' },
    repairs: { type: 'string', default: '300' },
    autoscalers: { type: 'string', default: '1000' },
    /** For which each row of the autoscalers is measured. */
    seconds: { type: 'string', default: '60' },
    repetitions: { type: 'string', default: '5' },
    results: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  },
});
const only = values.only.split(',');
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const log = (line: string): void => console.log(line);

await beginTestRun(stop.signal, log);
try {
  const report = new Report(values.results, testCluster().description, log);
  await installCustomResource(testRun().api);
  if (only.includes('freshness')) {
    await report.run('freshness', () => benchFreshness(Number(values.repetitions), stop.signal));
  }
  if (only.includes('services')) {
    await report.run('services', async () => {
      const runs: ServicesFigures[] = [];
      for (const count of values.services.split(',').map(Number)) runs.push(await measureAlone(count));
      return servicesSection(runs);
    });
  }
  if (only.includes('autoscalers')) {
    const measuredMs = Number(values.seconds) * 1000;
    await report.run('autoscalers', () => benchAutoscalers(Number(values.autoscalers), measuredMs, stop.signal));
  }
} finally {
  await endTestRun();
}

/** On a cluster of its own, so that no run has to carry what another one left. */
async function measureAlone(count: number): Promise<ServicesFigures> {
  const end = await beginInnerTestRun(stop.signal, log);
  try {
    const { components } = testCluster();
    if (components === undefined) throw new Error('The benchmark needs a control plane of its own on this machine.');
    await installCustomResource(testRun().api);
    // There is no node, and what it would say of each pod costs as much as the rest.
    await components.scheduler.kill();
    await components.controllerManager.kill();
    await components.controllerManager.start(['--controllers=*,-horizontal-pod-autoscaler-controller']);
    const restMs = Number(values['rest-seconds']) * 1000;
    const figures = await measureServices({ count, restMs, repairs: Number(values.repairs) }, log, stop.signal);
    console.log(JSON.stringify(figures));
    return figures;
  } finally {
    await end();
  }
}
