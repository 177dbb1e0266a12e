import type { TemplateSource } from './template-inputs.ts';

/** The server's images of this operator; `tensorflowGPU` may be missing. */
export interface ServerImages {
  readonly wasm: string;
  readonly tensorflow: string;
  readonly tensorflowGPU?: string | undefined;
}

/** The image for `service`; undefined where it asks for a GPU and this operator has no image for one. */
export function serverImageOf(service: TemplateSource, images: ServerImages): string | undefined {
  const { server, gpu } = service.spec;
  if (server.image !== undefined) return server.image;
  if (gpu !== undefined) return images.tensorflowGPU;
  return server.engine === 'TensorFlow' ? images.tensorflow : images.wasm;
}
