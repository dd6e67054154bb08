import { screen, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { formatClock } from '@/shared/format/units';
import { expectAccessible, renderRoutes } from '@tests/render';
import { job, makePanel, run, site } from '@tests/samples';
import { page, problem, serve, server } from '@tests/server';

import { JobPage } from './JobPage';

const routes = [
  { path: '/jobs', element: <p>All jobs</p> },
  { path: '/jobs/:jobId', Component: JobPage },
];
const url = `/api/v1/jobs/${job.id}`;
const summaryOf = (runId: string) => ({
  run_id: runId,
  bins: [
    { maf_over: 0.005, maf_up_to: 0.05, mean_r2: 0.9381, sites: 4032 },
    { maf_over: 0.05, maf_up_to: 0.5, mean_r2: null, sites: 0 },
  ],
  sites_total: 4032,
  chromosomes: [],
  chromosomes_expected: ['chr20'],
  missing: [],
  gaps: [],
});

const update = (status: string, message: string, second: number) => ({
  run_id: run.id,
  status,
  progress: 0,
  message,
  occurred_at: `2026-03-01T10:00:0${second}Z`,
});

beforeEach(() => {
  serve('/api/v1/services', page([site]));
  serve('/api/v1/panels', page([makePanel(1), makePanel(2)]));
  serve(url, job);
  serve(`${url}/events`, page([]));
  serve(`${url}/results`, page([]));
  serve(`${url}/results/summary`, { runs: [] });
});

test('a run that failed says whose it is to act and what to do; its sibling keeps its results', async () => {
  const error = { code: 'site_refused', message: 'Too few samples.', whose: 'input', fix: 'Use 20 samples or more.' };
  const failed = {
    ...run,
    id: '44444444-0000-4000-8000-000000000002',
    panel_id: makePanel(2).id,
    status: 'failed',
    results: 0,
    error,
  };
  serve(url, { ...job, status: 'partly_completed', runs: [run, failed] });
  const result = {
    id: 'r',
    run_id: run.id,
    filename: 'chr20.dose.vcf.gz',
    kind: 'imputed_data',
    size: 878_000,
    sha256: 'cd'.repeat(32),
    download_url: 'http://127.0.0.1:8000/api/v1/files/r/content?signature=x',
  };
  serve(`${url}/results`, page([result]));
  const { container } = renderRoutes(routes, `/jobs/${job.id}`);
  const second = await screen.findByRole('region', { name: 'Cape Town node · Panel 2' });
  expect(within(second).getByText('The genotypes or parameters need a change')).toBeVisible();
  expect(within(second).getByText('Use 20 samples or more.')).toBeVisible();
  const first = screen.getByRole('region', { name: 'Cape Town node · Panel 1' });
  expect(await within(first).findByRole('link', { name: 'chr20.dose.vcf.gz' })).toHaveAttribute(
    'href',
    expect.stringContaining('signature=x'),
  );
  expect(within(first).queryByText('Imputation quality')).toBeNull();
  await expectAccessible(container);
});

test('a run that waits for its site says when it is tried again', async () => {
  const at = new Date(Date.now() + 90_000).toISOString();
  const held = { ...run, status: 'waiting_for_site', message: 'Renew your token.', next_try_at: at, results: 0 };
  serve(url, { ...job, status: 'running', runs: [held] });
  renderRoutes(routes, `/jobs/${job.id}`);
  expect(await screen.findByText(`Next try at ${formatClock(at, 'en')}`)).toBeVisible();
});

test('the quality of a run is shown by allele frequency', async () => {
  serve(`${url}/results/summary`, { runs: [summaryOf(run.id)] });
  renderRoutes(routes, `/jobs/${job.id}`);
  const row = await screen.findByRole('row', { name: /^0.5–5 / });
  expect(
    within(row)
      .getAllByRole('cell')
      .map((cell) => cell.textContent),
  ).toEqual(['0.938', '4,032']);
  expect(within(screen.getByRole('row', { name: /^5–50 / })).getByText('–')).toBeVisible();
});

test('the timeline gathers what was said in one state', async () => {
  serve(
    `${url}/events`,
    page([
      update('submitting', 'Sending.', 1),
      update('running', 'Imputation (0/6)', 2),
      update('running', 'Imputation (0/6)', 3),
      update('running', 'Imputation (1/6)', 4),
    ]),
  );
  renderRoutes(routes, `/jobs/${job.id}`);
  expect(await screen.findAllByText('Imputation (0/6)')).toHaveLength(1);
  expect(screen.getByText('Imputation (1/6)')).toBeVisible();
  expect(screen.getAllByRole('listitem')).toHaveLength(2);
});

test('a change that is told of shows without anything being done', async () => {
  serve(url, {
    ...job,
    status: 'running',
    runs: [{ ...run, status: 'running', progress: 40, message: 'Imputation (2/6)', results: 0 }],
  });
  const { client } = renderRoutes(routes, `/jobs/${job.id}`);
  expect(await screen.findByText('40%')).toBeVisible();
  serve(url, job);
  await client.invalidateQueries({ queryKey: ['job', job.id] });
  expect(await screen.findByText('100%')).toBeVisible();
});

test('a job is deleted only after one has said so', async () => {
  let deleted = 0;
  server.use(
    http.delete(url, () => {
      deleted += 1;
      return new HttpResponse(null, { status: 204 });
    }),
  );
  const { user } = renderRoutes(routes, `/jobs/${job.id}`);
  await user.click(await screen.findByRole('button', { name: 'Delete the job' }));
  await user.click(screen.getByRole('button', { name: 'Keep it' }));
  expect(deleted).toBe(0);
  await user.click(await screen.findByRole('button', { name: 'Delete the job' }));
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Delete the job' }));
  expect(await screen.findByText('All jobs')).toBeVisible();
  expect(deleted).toBe(1);
});

test("somebody else's job is not found", async () => {
  server.use(http.get(url, () => problem(404, 'job_not_found', 'There is no such job among yours.')));
  renderRoutes(routes, `/jobs/${job.id}`);
  expect(await screen.findByText('There is no such job among yours.')).toBeVisible();
});
