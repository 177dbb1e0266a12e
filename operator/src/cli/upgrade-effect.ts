import { POD_TEMPLATE_ANNOTATION } from '../modelservice/conventions.ts';
import type { Deployment } from '../modelservice/live-objects.ts';
import type { ServerImages } from '../modelservice/plan/server-image.ts';
import { chooseTemplate, type RenderTemplate, storedTemplate } from '../modelservice/plan/stored-template.ts';
import { imageIn, templateDifference } from '../modelservice/plan/template-difference.ts';
import { hashOfInputs } from '../modelservice/plan/template-inputs.ts';
import type { ModelService } from '../modelservice/resource.ts';

/** What an operator would do to the pods of one service. */
export interface UpgradeEffect {
  readonly rolls: boolean;
  /** What changes and why; `nothing` where nothing does. */
  readonly reason: string;
}

/** What the operator of this version with these default images would do to the pods of `service`. */
export function upgradeEffect(
  service: ModelService,
  deployment: Deployment | undefined,
  images: ServerImages,
  render?: RenderTemplate,
): UpgradeEffect {
  const chosen = chooseTemplate(service, deployment, images, render);
  if (chosen === undefined) return { rolls: false, reason: 'this operator has no server image for GPUs' };
  if (deployment === undefined) return { rolls: false, reason: 'it has no pods yet' };
  const difference = templateDifference(chosen.template, deployment);
  if (difference === undefined) return { rolls: false, reason: 'nothing' };
  const [before, after] = [imageIn(deployment.spec.template), imageIn(chosen.template)];
  const what = before === after ? difference : `image ${before} → ${after}`;
  return { rolls: true, reason: `${what} (${cause(service, deployment)})` };
}

function cause(service: ModelService, deployment: Deployment): string {
  const stored = storedTemplate(deployment.metadata.annotations?.[POD_TEMPLATE_ANNOTATION]);
  if (stored === undefined) return 'the Deployment carries no template';
  if (stored.inputs !== hashOfInputs(service)) return 'spec changed';
  return service.spec.server.updatePolicy === 'Always' ? 'updatePolicy Always' : 'somebody changed the Deployment';
}
