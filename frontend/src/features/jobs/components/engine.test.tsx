import { screen, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test, vi } from 'vitest';

import { formatMoment } from '@/shared/format/units';
import { expectAccessible, renderRoutes } from '@tests/render';
import { job, makePanel, otherSite, run, site } from '@tests/samples';
import { page, problem, serve, server } from '@tests/server';

import { JobPage } from './JobPage';

const routes = [{ path: '/jobs/:jobId', Component: JobPage }];
const url = `/api/v1/jobs/${job.id}`;
const running = { ...run, status: 'running', progress: 40, message: 'Imputation (2/6)', results: 0, finished_at: null };
const AT = '2026-03-01T10:05:00Z';

beforeEach(() => {
  serve('/api/v1/services', page([site, otherSite]));
  serve('/api/v1/panels', page([makePanel(1), makePanel(3, { service_id: otherSite.id })]));
  serve(`${url}/events`, page([]));
  serve(`${url}/results`, page([]));
  serve(`${url}/results/summary`, { runs: [] });
});

const show = (changes: object) => {
  serve(url, { ...job, status: 'running', runs: [{ ...running, ...changes }] });
  return renderRoutes(routes, `/jobs/${job.id}`);
};

test('a run says when it is expected to be done, and that it is slower than usual', async () => {
  const { container } = show({ estimated_finish_at: AT, is_slow: true, pace: 'Usually 20 minutes.' });
  expect(await screen.findByText(`Expected to be done by ${formatMoment(AT, 'en')}`, { exact: false })).toBeVisible();
  expect(screen.getByText('Usually 20 minutes.')).toBeVisible();
  await expectAccessible(container);
});

test('while a site has not confirmed a cancellation, the page says what comes of it', async () => {
  show({ cancel_requested_at: AT, message: 'The site was asked to cancel. It does not cancel running jobs.' });
  expect(await screen.findByText(/It does not cancel running jobs/)).toBeVisible();
  expect(screen.getByText(/where the site refuses, it goes on to its end/)).toBeVisible();
});

test('a run is sent on to its alternate by one who does not want to wait', async () => {
  const alternates = [{ service_id: otherSite.id, panel_id: makePanel(3).id }];
  const { user } = show({ status: 'waiting_for_site', alternates });
  expect(await screen.findByText(/If this site cannot take it: Panel 3 · Nairobi node/)).toBeVisible();
  server.use(
    http.post(`${url}/runs/${run.id}/move`, () => {
      const moved = { ...running, status: 'waiting_for_site', alternates, move_requested_at: AT };
      serve(url, { ...job, status: 'running', runs: [moved] });
      return HttpResponse.json(job, { status: 202 });
    }),
  );
  await user.click(screen.getByRole('button', { name: 'Go on there now' }));
  expect(await screen.findByText(/It leaves this site, as asked at/)).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Go on there now' })).toBeNull();
});

test('what a site silently left out is said before its figures', async () => {
  const gaps = [{ name: 'chr2', start: 30_000_001, end: 34_000_000, typed_sites: 812 }];
  const summary = { run_id: run.id, bins: [], sites_total: 9, chromosomes: [], missing: ['chr7'], gaps };
  serve(url, job);
  serve(`${url}/results/summary`, { runs: [{ ...summary, chromosomes_expected: ['chr2', 'chr7'] }] });
  renderRoutes(routes, `/jobs/${job.id}`);
  expect(await screen.findByText('1 of 2 chromosomes')).toBeVisible();
  expect(screen.getByText('Missing: chr7.')).toBeVisible();
  expect(screen.getByText('chr2, 30–34 Mb (812 typed sites)')).toBeVisible();
});

test('whether data might leave is shown with its reasons', async () => {
  const decision = { run_id: run.id, decided_at: AT, service_id: site.id, is_allowed: true, reason: 'It is in ZA.' };
  serve(url, { ...job, parameters: { ...job.parameters, residency: { countries: ['ZA'] }, priority: 'high' } });
  serve(`${url}/residency-decisions`, page([decision]));
  const { container } = renderRoutes(routes, `/jobs/${job.id}`);
  const decisions = await screen.findByRole('list', { name: 'Decisions on where data may go' });
  expect(within(decisions).getByText('Allowed')).toBeVisible();
  expect(within(decisions).getByText('It is in ZA.')).toBeVisible();
  expect(screen.getByText('South Africa')).toBeVisible();
  expect(screen.getByText('High')).toBeVisible();
  await expectAccessible(container);
});

test('all results are downloaded by a link that the browser follows; a refusal is told', async () => {
  const followed = vi.fn();
  vi.stubGlobal('location', { ...window.location, assign: followed });
  const link = `http://127.0.0.1:8000${url}/results/archive?ticket=t`;
  serve(url, job);
  server.use(
    http.post(`${url}/results/archive-link`, () => problem(404, 'results_not_found', 'No results.'), { once: true }),
  );
  const { user } = renderRoutes(routes, `/jobs/${job.id}`);
  await user.click(await screen.findByRole('button', { name: 'Download all (zip)' }));
  expect(await screen.findByText('No results.')).toBeVisible();
  expect(followed).not.toHaveBeenCalled();
  server.use(http.post(`${url}/results/archive-link`, () => HttpResponse.json({ url: link, expires_at: AT })));
  await user.click(screen.getByRole('button', { name: 'Download all (zip)' }));
  await expect.poll(() => followed.mock.calls).toEqual([[link]]);
  vi.unstubAllGlobals();
});
