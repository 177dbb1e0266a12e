// What mocha loads before the integration suites: one real API server for each process of the run, with the ModelService type
// installed. Suites ask for it in test-run.ts, for a namespace in namespaces.ts, for the operator in operator-process.ts.
import { clusterFixture } from './cluster-fixture.ts';
import { installCustomResource } from './custom-resources.ts';

export const { mochaGlobalTeardown, mochaHooks } = clusterFixture({
  suites: 'Integration suites',
  prepare: ({ api }) => installCustomResource(api),
});
