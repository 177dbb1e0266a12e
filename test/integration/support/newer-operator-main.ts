/** Entry point of an operator whose pods have one environment variable more, as a newer version's may. */
import { helpText, readConfig } from '../../../operator/src/config.ts';
import { podTemplateOf } from '../../../operator/src/modelservice/plan/pod-template.ts';
import type { RenderTemplate } from '../../../operator/src/modelservice/plan/stored-template.ts';
import { runOperator } from '../../../operator/src/operator.ts';
import { runProgram } from '../../../operator/src/runtime/run-program.ts';

interface Template {
  readonly spec: { readonly containers: readonly { readonly env: readonly unknown[] }[] };
}

const renderTemplate: RenderTemplate = (source, image) => {
  const template = podTemplateOf(source, image);
  const { spec } = template as unknown as Template;
  const containers = spec.containers.map((container) => ({
    ...container,
    env: [...container.env, { name: 'NEWER', value: 'yes' }],
  }));
  return { ...template, spec: { ...spec, containers } };
};

process.exitCode = await runProgram({
  readConfig,
  helpText,
  run: (config, log, signal) => runOperator(config, log, signal, { renderTemplate }),
});
