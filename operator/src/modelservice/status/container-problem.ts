import { NAME_LABEL, SERVER_CONTAINER } from '../conventions.ts';
import type { Pod } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import type { Problem } from './problem.ts';
import { serverStatus } from './server-status.ts';
import { withoutFullStop } from './shortened.ts';

/** The kubelet cannot make the container out of what the spec refers to. */
export function containerConfig(pod: Pod, { metadata }: ModelService): Problem | undefined {
  const waiting = serverStatus(pod)?.state?.waiting;
  if (waiting?.reason === 'CreateContainerConfigError') {
    // What names the pod would change with it.
    const why = withoutFullStop((waiting.message ?? waiting.reason).replace(/ \(pod: .*$/s, ''));
    return {
      reason: 'ContainerConfigInvalid',
      message: `The server's container cannot be made: ${why}. Create it, or correct spec.server.env.`,
    };
  }
  // This text is full of identifiers of the moment.
  if (waiting?.reason !== 'CreateContainerError' && waiting?.reason !== 'RunContainerError') return undefined;
  return {
    reason: 'ContainerConfigInvalid',
    message: `The node cannot make the server's container: see kubectl describe pod -l ${NAME_LABEL}=${metadata.name}`,
  };
}

/** The kubelet's reasons for a container that waits for its image (pkg/kubelet/images/types.go and the CRI's own). */
const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);
/** A registry answers alike for what it does not have and for what the caller may not see. */
const DENIED = /denied|unauthorized|authorization failed|authentication required|no basic auth|\b40[13]\b/i;
const NOT_FOUND = /not found|manifest unknown|name unknown/i;

/** The image cannot be had. The kubelet's own texts alternate and name addresses, so that only what they mean is told. */
export function imagePull(pod: Pod, { spec }: ModelService): Problem | undefined {
  const { reason = '', message = '' } = serverStatus(pod)?.state?.waiting ?? {};
  if (!IMAGE_REASONS.has(reason)) return undefined;
  const image = pod.spec.containers.find(({ name }) => name === SERVER_CONTAINER)?.image ?? '';
  const where = spec.server.image === undefined ? "server.images in the operator's Helm values" : 'spec.server.image';
  if (reason === 'InvalidImageName') {
    return { reason: 'ImageNameInvalid', message: `The image name ${image} is not valid: correct ${where}.` };
  }
  if (DENIED.test(message)) {
    return {
      reason: 'ImagePullDenied',
      message: `The registry refuses the image ${image}: check its name in ${where}, and name a Secret with credentials in spec.pod.imagePullSecrets where it needs them.`,
    };
  }
  if (NOT_FOUND.test(message)) {
    return { reason: 'ImageNotFound', message: `The image ${image} does not exist in its registry: correct ${where}.` };
  }
  return {
    reason: 'ImagePullFailed',
    message: `The image ${image} cannot be pulled: check its name in ${where}, that the nodes reach its registry, and spec.pod.imagePullSecrets where that asks for credentials.`,
  };
}
