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
  /** At least one. */
  readonly labelNames: readonly string[];
  /** Calls back once for each series, with a value for each label; no two have the same ones. */
  readonly eachSeries: (tell: (value: number, ...labels: readonly string[]) => void) => void;
}

/** The family in Prometheus' text format. There may be tens of thousands of series: little is made for each. */
export function familyText({ name, help, labelNames, eachSeries }: ScrapedGauge): string {
  let text = `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
  const before = labelNames.map((label, index) => `${index === 0 ? `${name}{` : '",'}${label}="`);
  eachSeries((value, ...labels) => {
    for (let index = 0; index < before.length; index++) text += before[index] + escaped(labels[index] ?? '');
    text += `"} ${value}\n`;
  });
  return text;
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
  return /[\\"\n]/.test(text) ? text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n') : text;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
