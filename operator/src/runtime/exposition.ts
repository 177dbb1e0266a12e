/** One line of Prometheus' text format. */
export interface Sample {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+([^\s]+)(?:\s+-?[0-9]+)?\s*$/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)/y;

/** A gauge whose series are told at each scrape, and kept nowhere between two. */
export interface ScrapedGauge {
  readonly name: string;
  readonly help: string;
  /** Each with the same names of labels, and no two with the same values. */
  readonly series: () => Iterable<Omit<Sample, 'metric'>>;
}

/** The family in Prometheus' text format. */
export function familyText({ name, help, series }: ScrapedGauge): string {
  const lines = [`# HELP ${name} ${help}\n# TYPE ${name} gauge\n`];
  for (const { labels, value } of series()) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    lines.push(`${name}{${pairs.join()}} ${value}\n`);
  }
  return lines.join('');
}

/** The finite samples of `wanted` in a text of Prometheus' exposition format; whatever else is there is passed over. */
export function samplesIn(text: string, wanted: ReadonlySet<string>): readonly Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(line)?.[0];
    if (name === undefined || !wanted.has(name)) continue;
    const [, metric, labels = '', number = ''] = LINE.exec(line) ?? [];
    const value = Number(number);
    if (metric === undefined || !Number.isFinite(value)) continue;
    samples.push({ metric, labels: labelsOf(labels), value });
  }
  return samples;
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const labels: [string, string][] = [];
  LABEL.lastIndex = 0;
  for (let match = LABEL.exec(text); match !== null; match = LABEL.exec(text)) {
    labels.push([match[1] ?? '', unescaped(match[2] ?? '')]);
  }
  return Object.fromEntries(labels);
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
