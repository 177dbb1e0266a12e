// What mocha loads before the end-to-end suites: one cluster with a real node for the whole run, which has the images
// that `npm run image` built. Each suite installs the chart itself, as a platform team would: see installed-chart.ts.
import { readFileSync } from 'node:fs';
import { missingImages } from '../../cluster/node/images.ts';
import { startNodeCluster } from '../../cluster/node/node-cluster.ts';
import { images } from '../../image/images.ts';
import { clusterFixture } from '../../integration/support/cluster-fixture.ts';
import { GPU_STAND_IN, makeGpuStandIn } from './gpu-stand-in.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

export const { mochaGlobalTeardown, mochaHooks } = clusterFixture({
  suites: 'End-to-end suites',
  async start(config, signal, log) {
    // No suite asks for TensorFlow's, which is as large as the others together.
    const built = images(version).filter(({ key }) => key !== 'tensorflow');
    const names = built.map(({ name }) => name);
    const wasm = built.find(({ key }) => key === 'wasm');
    if (wasm !== undefined && (await missingImages(names)) === undefined) await makeGpuStandIn(wasm.name);
    const options = { images: [...names, GPU_STAND_IN], extendedResources: { 'nvidia.com/gpu': '2' } };
    return await startNodeCluster(config, options, signal, log);
  },
});
