import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What one part of the benchmark found. */
export interface Section {
  readonly title: string;
  /** What was done and how it was counted. */
  readonly text: readonly string[];
  readonly tables: readonly Table[];
  /** The same as numbers, for programs. */
  readonly figures: unknown;
}

interface StoredSection extends Section {
  readonly measuredAt: string;
  readonly machine: string;
  /** Of the last minute: processes that wanted to run, before the section and after it. */
  readonly load: readonly [number, number];
}

/** The sections in the order of the document; one that was not run keeps what was found before. */
const ORDER = ['services', 'autoscalers', 'freshness'] as const;
export type SectionName = (typeof ORDER)[number];

const HEAD = `# What the operator costs

Printed and written by \`npm run bench:operator\` on a real control plane (etcd, kube-apiserver, kube-controller-manager),
all on one machine: everything shares its cores. Numbers in \`operator.json\`.`;

/** Keeps the results of a benchmark as \`operator.json\` and \`operator.md\` in a folder. */
export class Report {
  readonly #folder: string;
  readonly #cluster: string;
  readonly #print: (text: string) => void;

  /** @param cluster what the API server is, for the reader */
  constructor(folder: string, cluster: string, print: (text: string) => void) {
    this.#folder = folder;
    this.#cluster = cluster;
    this.#print = print;
  }

  /** Runs a part, prints what it found and writes it down beside what earlier runs found. */
  async run(name: SectionName, part: () => Promise<Section>): Promise<void> {
    const before = loadavg()[0] ?? 0;
    const section = await part();
    const stored: StoredSection = {
      ...section,
      measuredAt: new Date().toISOString(),
      machine: `${this.#cluster}; ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
      load: [before, loadavg()[0] ?? 0],
    };
    this.#print(`\n${markdown(stored)}`);
    const sections = { ...(await this.#stored()), [name]: stored };
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, 'operator.json'), `${JSON.stringify(sections, null, 2)}\n`);
    const texts = ORDER.flatMap((id) => sections[id] ?? []).map(markdown);
    await writeFile(join(this.#folder, 'operator.md'), `${[HEAD, ...texts].join('\n\n')}\n`);
  }

  async #stored(): Promise<Partial<Record<SectionName, StoredSection>>> {
    const text = await readFile(join(this.#folder, 'operator.json'), 'utf8').catch(() => '{}');
    return JSON.parse(text) as Partial<Record<SectionName, StoredSection>>;
  }
}

function markdown({ title, text, tables, measuredAt, machine, load }: StoredSection): string {
  const when = `${measuredAt.slice(0, 10)}; ${machine}; load ${load.map((value) => value.toFixed(1)).join(' before, ')} after.`;
  return [`## ${title}`, ...text, ...tables.map(markdownTable), when].join('\n\n');
}

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
