import { isObject } from '../../kube/same-value.ts';
import { POD_TEMPLATE_ANNOTATION, REVISION_LABEL } from '../conventions.ts';
import type { Deployment } from '../live-objects.ts';
import type { ModelService } from '../resource.ts';
import { podTemplateOf } from './pod-template.ts';
import { type ServerImages, serverImageOf } from './server-image.ts';
import { hashOfInputs, hashOfJson, type TemplateSource } from './template-inputs.ts';

export type PodTemplate = Readonly<Record<string, unknown>>;

/** Renders the pods of a service. Default: {@link podTemplateOf}. */
export type RenderTemplate = (source: TemplateSource, image: string) => PodTemplate;

export interface ChosenTemplate {
  readonly template: PodTemplate;
  /** What pods made from it are labelled with; undefined in one that was stored without. */
  readonly revision: string | undefined;
  /** What the Deployment carries; undefined: the template is too large to be carried. */
  readonly annotation: string | undefined;
}

/** An object's annotations may have 256 KiB together; the rest is for those of others. */
const MAX_ANNOTATION_BYTES = 192 * 1024;
/** As many as Kubernetes takes for the hash of a template. */
const REVISION_LENGTH = 10;

/**
 * The pod template to apply. While the spec fields that feed it are the ones that fed what the Deployment carries, that
 * is what is applied, whatever this operator would render and whatever image it would choose: another version of the
 * operator rolls nothing. Else, and always with `updatePolicy: Always`, it is rendered.
 *
 * @returns undefined where this operator has no image for it
 */
export function chooseTemplate(
  service: ModelService,
  deployment: Deployment | undefined,
  images: ServerImages,
  render: RenderTemplate = podTemplateOf,
): ChosenTemplate | undefined {
  const inputs = hashOfInputs(service);
  const annotation = deployment?.metadata.annotations?.[POD_TEMPLATE_ANNOTATION];
  const stored = storedTemplate(annotation);
  if (stored?.inputs === inputs && service.spec.server.updatePolicy !== 'Always') {
    return { template: stored.template, revision: revisionIn(stored.template), annotation };
  }
  const image = serverImageOf(service, images);
  if (image === undefined) return undefined;
  const template = withRevision(render(service, image));
  return { template, revision: revisionIn(template), annotation: annotationOf({ inputs, template }) };
}

export interface StoredTemplate {
  /** Hash of the spec fields that fed it. */
  readonly inputs: string;
  readonly template: PodTemplate;
}

/** What an annotation carries; undefined where it is missing or no longer as an operator wrote it. */
export function storedTemplate(annotation: string | undefined): StoredTemplate | undefined {
  if (annotation === undefined) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(annotation);
  } catch {
    return undefined;
  }
  if (!isObject(read) || typeof read.inputs !== 'string' || !isObject(read.template)) return undefined;
  const { inputs, template } = read;
  return read.checksum === checksumOf({ inputs, template }) ? { inputs, template } : undefined;
}

/** Equal templates are one revision, whoever rendered them and whenever. */
function withRevision(template: PodTemplate): PodTemplate {
  const metadata = isObject(template.metadata) ? template.metadata : {};
  const labels = isObject(metadata.labels) ? metadata.labels : {};
  const revision = hashOfJson(template).slice(0, REVISION_LENGTH);
  return { ...template, metadata: { ...metadata, labels: { ...labels, [REVISION_LABEL]: revision } } };
}

function revisionIn({ metadata }: PodTemplate): string | undefined {
  const labels = isObject(metadata) ? metadata.labels : undefined;
  const revision = isObject(labels) ? labels[REVISION_LABEL] : undefined;
  return typeof revision === 'string' ? revision : undefined;
}

function annotationOf({ inputs, template }: StoredTemplate): string | undefined {
  const text = JSON.stringify({ inputs, checksum: checksumOf({ inputs, template }), template });
  return Buffer.byteLength(text) <= MAX_ANNOTATION_BYTES ? text : undefined;
}

/** Against an edit by hand, not against somebody who may write Deployments: they can run what they like anyway. */
function checksumOf({ inputs, template }: StoredTemplate): string {
  return hashOfJson([inputs, template]);
}
