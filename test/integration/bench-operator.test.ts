import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { Report } from '../bench/operator/report.ts';
import { measureServices, type ServicesFigures } from '../bench/operator/services.ts';
import { servicesSection } from '../bench/operator/services-section.ts';
import { testCluster } from './support/test-run.ts';

const SERVICES = 5;

describe(`npm run bench:operator, with ${SERVICES} ModelServices`, () => {
  let figures: ServicesFigures;
  let folder: string;

  before('measure', async function () {
    this.timeout(180_000);
    if (testCluster().auditEvents === undefined) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'bench-'));
    const options = { count: SERVICES, restMs: 1000, repairs: 3 };
    figures = await measureServices(options, () => undefined, new AbortController().signal);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it('counts for each service an apply of each child, one of its size, and what else is sent', () => {
    const writes = figures.requests.filter(({ request }) => request.startsWith('patch '));
    const { most: told = 0 } = writes.find(({ request }) => request === 'patch modelservices/status') ?? {};
    assert.ok(told >= 1);
    assert.deepEqual(
      writes.filter(({ request }) => request !== 'patch modelservices/status'),
      [
        { request: 'patch deployments', total: 2 * SERVICES, most: 2 },
        { request: 'patch horizontalpodautoscalers', total: SERVICES, most: 1 },
        { request: 'patch services', total: SERVICES, most: 1 },
      ],
    );
    assert.deepEqual([figures.writesAtRest, figures.writesAfterRestart], [[], []]);
  });

  it('has a figure for everything, writes them down, and keeps what other parts found', async () => {
    const numbers = Object.entries(figures).filter(([, value]) => typeof value === 'number');
    assert.deepEqual(
      numbers.filter(([, value]) => !Number.isFinite(value) || Number(value) < 0),
      [],
    );
    const report = new Report(folder, 'a cluster', () => undefined);
    await report.run('freshness', async () => ({ title: 'Freshness', text: [], tables: [], figures: 1 }));
    await report.run('services', async () => servicesSection([figures]));
    const text = await readFile(join(folder, 'operator.md'), 'utf8');
    assert.match(text, /^\| ModelServices \| 5 \|$/m);
    assert.match(text, /^## Freshness$/m);
    const stored = JSON.parse(await readFile(join(folder, 'operator.json'), 'utf8'));
    assert.deepEqual(stored.services.figures, [figures]);
  });
});
