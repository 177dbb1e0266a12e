import { readFile } from 'node:fs/promises';

/** `name type labels`, sorted, for each row of the tables of metrics in docs/operations.md. */
export async function documentedMetrics(): Promise<readonly string[]> {
  const text = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|/gm)];
  return rows
    .map(([, name, type, labels = '']) => {
      const names = [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label);
      return lineOf(name, type, names);
    })
    .sort();
}

/** The same of an exposition, but for what Node tells of every process. A family needs a sample to show its labels. */
export function exposedMetrics(text: string): readonly string[] {
  return [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)]
    .filter(([, name = '']) => !/^(process|nodejs)_/.test(name))
    .map(([, name, type]) => {
      const sample = new RegExp(`^${name}(?:_bucket)?\\{(.*)\\} `, 'm').exec(text)?.[1] ?? '';
      const labels = [...sample.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
      return lineOf(name, type, labels);
    })
    .sort();
}

function lineOf(name: string | undefined, type: string | undefined, labels: readonly (string | undefined)[]): string {
  return `${name} ${type} ${labels.toSorted().join()}`;
}
