import { readFile } from 'node:fs/promises';

/** `name type labels`, sorted, for each row of the tables of metrics in a document, with `everywhere` at each. */
export async function documentedMetrics(
  document = 'operations.md',
  everywhere: readonly string[] = [],
): Promise<readonly string[]> {
  const text = await readFile(new URL(`../../docs/${document}`, import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (counter|gauge|histogram) \| ([^|]*) \|/gm)];
  return rows
    .map(([, name, type, labels = '']) => {
      const names = [...everywhere, ...[...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)];
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

/** An exposition with one series of each of those metrics, its value 1 and its labels' values `some`. */
export function expositionOf(lines: readonly string[]): string {
  return lines
    .map((line) => {
      const [name, type, labels = ''] = line.split(' ');
      const pairs = labels === '' ? [] : labels.split(',').map((label) => `${label}="some"`);
      const series = (suffix: string, more: readonly string[] = []) => `${name}${suffix}{${[...pairs, ...more]}} 1\n`;
      const samples =
        type === 'histogram'
          ? [series('_bucket', ['le="1"']), series('_bucket', ['le="+Inf"']), series('_sum'), series('_count')]
          : [series('')];
      return `# TYPE ${name} ${type}\n${samples.join('')}`;
    })
    .join('');
}

function lineOf(name: string | undefined, type: string | undefined, labels: readonly (string | undefined)[]): string {
  return `${name} ${type} ${labels.toSorted().join()}`;
}
