import type { Section } from './report.ts';
import type { ServicesFigures } from './services.ts';

const TEXT = [
  'Each ModelService has a Deployment, a Service and a HorizontalPodAutoscaler. They are there before the operator starts; its time runs from its first write, as it would for an operator that finds that many new ones. Pods are made ready by patches of their status as soon as they are there; there is no kubelet and no scheduler, and the autoscalers’ controller is switched off. The floor is a plain loop of four workers, as many as the operator has, that applies the same objects of as many other ModelServices to the same API server, whose pods are made ready in the same way.',
  'KServe 0.20 (raw deployments) did this for 1,000 services on the same kind of machine in 85 s until all children existed and 116 s until all were Ready at a floor of 50 s, with 23 requests for each service, 1,000 useless writes after a restart and 159 MB of memory; an autoscaler that was deleted never came back.',
];

/** The tables of the runs, one column for each. */
export function servicesSection(runs: readonly ServicesFigures[]): Section {
  const row = (title: string, cell: (figures: ServicesFigures) => string): readonly string[] => [
    title,
    ...runs.map(cell),
  ];
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  const requests = [...new Set(runs.flatMap((run) => run.requests.map(({ request }) => request)))].toSorted();
  return {
    title: 'ModelServices',
    text: TEXT,
    tables: [
      {
        columns: ['ModelServices', ...runs.map(({ services }) => services.toLocaleString('en'))],
        rows: [
          row('the floor: a plain loop applies the same objects', (run) => seconds(run.floorSeconds)),
          row('from the start of the operator’s process to its first write', (run) => seconds(run.startSeconds)),
          row('until all children exist', (run) => seconds(run.childrenSeconds)),
          row('… times the floor', (run) => (run.childrenSeconds / run.floorSeconds).toFixed(2)),
          row('until all are Ready', (run) => seconds(run.readySeconds)),
          row('CPU time of the operator until then', (run) => seconds(run.cpuSecondsUntilReady)),
          row('requests for each service until then', (run) => requestsEach(run)),
          row('writes at rest', (run) => `${run.writesAtRest.length} in ${run.restSeconds} s`),
          row('CPU time at rest', (run) => `${seconds(run.cpuSecondsAtRest)} in ${run.restSeconds} s`),
          row('writes after a restart', (run) => `${run.writesAfterRestart.length} in ${run.restSeconds} s`),
          row('resident memory, settled', (run) => `${run.residentMiB} MiB`),
          row('resident memory, most', (run) => `${run.peakMiB} MiB`),
          row('… after a restart, settled', (run) => `${run.residentMiBAfterRestart} MiB`),
          row('… after a restart, most', (run) => `${run.peakMiBAfterRestart} MiB`),
          row('a deleted child is back after, p50', (run) => `${run.repairP50Ms.toFixed(0)} ms`),
          row('… p99', (run) => `${run.repairP99Ms.toFixed(0)} ms`),
        ],
      },
      {
        columns: [
          'requests until Ready, for each service (most for one object)',
          ...runs.map(({ services }) => services.toLocaleString('en')),
        ],
        rows: requests.map((request) =>
          row(request, (run) => {
            const found = run.requests.find((count) => count.request === request);
            return found === undefined ? '–' : `${(found.total / run.services).toFixed(2)} (${found.most})`;
          }),
        ),
      },
    ],
    figures: runs,
  };
}

function requestsEach({ requests, services }: ServicesFigures): string {
  return (requests.reduce((sum, { total }) => sum + total, 0) / services).toFixed(2);
}
