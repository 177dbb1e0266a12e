// What mocha loads before the end-to-end suites: one cluster with a real node for the whole run, which has the images
// that `npm run image` built. Each suite installs the chart itself, as a platform team would: see installed-chart.ts.
import { readFileSync } from 'node:fs';
import { startNodeCluster } from '../../cluster/node/node-cluster.ts';
import { images } from '../../image/images.ts';
import { clusterFixture } from '../../integration/support/cluster-fixture.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

export const { mochaGlobalSetup, mochaGlobalTeardown, mochaHooks } = clusterFixture({
  suites: 'End-to-end suites',
  start: (config, signal, log) =>
    startNodeCluster(
      config,
      {
        // No suite asks for TensorFlow's, which is as large as the others together.
        images: images(version).flatMap(({ name, target }) => (target === 'tensorflow' ? [] : [name])),
        extendedResources: { 'nvidia.com/gpu': '2' },
      },
      signal,
      log,
    ),
});
