// A real cluster of one node on this machine, for suites that need real pods: the control plane of the integration suites,
// and beside it containerd, kubelet and kube-proxy in namespaces of their own, so that nothing is left of them, whatever
// happens. Needs Linux, root and a Docker engine, which images come from; no registry. Nothing here knows of ModelService.
import { randomBytes } from 'node:crypto';
import { delimiter, join } from 'node:path';
import type { ClusterConfig } from '../cluster-config.ts';
import { startControlPlane } from '../control-plane.ts';
import { goBuild } from '../go-build.ts';
import { CONTROL_PLANE, NODE } from '../go-modules.ts';
import { localCluster } from '../local-cluster.ts';
import { ProcessGuard } from '../process-guard.ts';
import { NoClusterError } from '../start-cluster.ts';
import type { ClusterLog, TestCluster } from '../test-cluster.ts';
import type { NodeSettings } from './configurations.ts';
import { loadImages, makePauseImage, missingImages } from './images.ts';
import { nodeObstacle, pluginFolder } from './requirements.ts';
import { openSandbox } from './sandbox.ts';
import { joinCluster, startContainerd } from './start-node.ts';

export interface NodeClusterOptions {
  /** In the node's containerd before it is ready: names as Docker has them. */
  readonly images: readonly string[];
  /** Extended resources that the node says it has, such as `{'nvidia.com/gpu': '2'}`; no device stands behind them. */
  readonly extendedResources: Readonly<Record<string, string>>;
}

/** The image that holds a pod's namespaces open; a suite that needs pods which only wait names it too. */
export const PAUSE_IMAGE = 'modelservice-test-pause:1';

/**
 * @throws {NoClusterError} when this machine lacks what a node needs, with one sentence that says what
 * @throws when a part does not start, with the end of its log
 */
export async function startNodeCluster(
  config: ClusterConfig,
  { images, extendedResources }: NodeClusterOptions,
  signal: AbortSignal,
  log: ClusterLog,
): Promise<TestCluster> {
  const obstacle = (await nodeObstacle(config.path.split(delimiter))) ?? (await missingImages(images));
  if (obstacle !== undefined) throw new NoClusterError(`No cluster with a node: ${obstacle}.`);
  const build = { cacheDir: config.cacheDir, log, signal };
  const controlPlanePrograms = await goBuild(CONTROL_PLANE, build);
  const nodePrograms = await goBuild(NODE, build);
  const plugins = await pluginFolder();
  if (plugins === undefined) throw new Error('there are no CNI plugins');
  await makePauseImage(PAUSE_IMAGE, nodePrograms, 'pause', signal);

  const guard = await ProcessGuard.start();
  try {
    const name = `modelservice-test-${randomBytes(3).toString('hex')}`;
    const sandbox = await openSandbox(guard, { name, pause: join(nodePrograms, 'pause') }, signal);
    const { addresses } = sandbox;
    const settings: NodeSettings = {
      name,
      folder: join(guard.folder, 'node'),
      addresses,
      pluginFolder: plugins,
      pauseImage: `docker.io/library/${PAUSE_IMAGE}`,
    };
    await startContainerd(settings, sandbox, guard, signal);
    const { hostAddress: address, serviceNetwork } = addresses;
    const options = { address, serviceNetwork, admissionPlugins: [] };
    const [controlPlane] = await Promise.all([
      startControlPlane(controlPlanePrograms, guard, signal, options),
      loadImages([PAUSE_IMAGE, ...images], sandbox, settings.folder, signal),
    ]);
    const programs = { kubelet: join(nodePrograms, 'kubelet'), kubeProxy: join(nodePrograms, 'kube-proxy') };
    await joinCluster(settings, programs, sandbox, controlPlane, guard, signal);
    const origin = `with a node of its own, built from the Go modules that test/cluster/binaries pins`;
    const cluster = await localCluster(controlPlane, guard, origin);
    await advertise(cluster, name, extendedResources);
    return cluster;
  } catch (error) {
    await guard.stop();
    throw error;
  }
}

async function advertise(
  { client }: TestCluster,
  node: string,
  resources: Readonly<Record<string, string>>,
): Promise<void> {
  const { status, body } = await client.request('PATCH', `/api/v1/nodes/${node}/status`, {
    contentType: 'application/merge-patch+json',
    body: { status: { capacity: resources, allocatable: resources } },
  });
  if (status !== 200) throw new Error(`The node's status could not be patched: ${status} ${JSON.stringify(body)}`);
}
