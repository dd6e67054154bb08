import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { expectAccessible, renderRoutes } from '@tests/render';
import { file, job, makePanel, noQuota, otherSite, quality, site, template } from '@tests/samples';
import { page, serve, server } from '@tests/server';

import { NewJobPage } from './NewJobPage';

const routes = [
  { path: '/jobs/new', Component: NewJobPage },
  { path: '/jobs/:jobId', element: <p>The job's page</p> },
];
const elsewhere = { service_id: otherSite.id, service_name: otherSite.name };
const next = async () => {
  const button = await screen.findByRole('button', { name: /^Next/ });
  await waitFor(() => expect(button).toBeEnabled());
  return button;
};

beforeEach(() => {
  serve('/api/v1/job-templates', page([template]));
  serve('/api/v1/job-templates/:id', template);
  serve('/api/v1/jobs/quota', noQuota);
  serve('/api/v1/files', page([file]));
  serve('/api/v1/files/:id', file);
  serve('/api/v1/files/:id/qc', quality);
  serve('/api/v1/services', page([site, otherSite]));
  serve(
    '/api/v1/panels',
    page([makePanel(1), makePanel(2), makePanel(3, elsewhere), makePanel(4, { ...elsewhere, build: 'hg19' })]),
  );
});

const settingsOf = ({ build, phasing, population, r2_filter, mode, priority, residency }: typeof template) => ({
  build,
  phasing,
  population,
  r2_filter,
  mode,
  priority,
  residency,
});

async function start() {
  const view = renderRoutes(routes, `/jobs/new?template=${template.id}`);
  await view.user.click(await screen.findByLabelText(new RegExp(file.filename)));
  return view;
}

test('a job starts from a template, and gets an alternate', async () => {
  const sent: unknown[] = [];
  server.use(
    http.post('/api/v1/jobs', async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json(job, { status: 202 });
    }),
  );
  const { user, container } = await start();
  await user.click(await next());
  const nairobi = await screen.findByRole('region', { name: 'Nairobi node' });
  expect(within(nairobi).getByText(/This site cannot cancel/)).toBeVisible();
  const alternates = screen.getByRole('group', { name: 'If the site of Panel 1 cannot take it' });
  await user.click(within(alternates).getByRole('combobox'));
  // Of another site, and of the same build.
  expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual(['Panel 3 · Nairobi node']);
  await user.click(screen.getByRole('option'));
  expect(within(alternates).getByRole('listitem')).toHaveTextContent('Panel 3 · Nairobi node');
  await expectAccessible(container);
  await user.click(await next());
  expect(screen.getByLabelText('Name of the job')).toHaveValue('Usual panels');
  await user.click(await next());
  expect(await screen.findByText('Kenya and South Africa')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Submit the job' }));
  expect(await screen.findByText("The job's page")).toBeVisible();
  const alternate = { service_id: otherSite.id, panel_id: makePanel(3).id };
  const targets = [{ ...template.targets[0], alternates: [alternate] }];
  expect(sent).toEqual([{ ...settingsOf(template), targets, name: 'Usual panels', input_file_ids: [file.id] }]);
});

test('what was put together is kept as a template', async () => {
  const sent: unknown[] = [];
  server.use(
    http.post('/api/v1/job-templates', async ({ request }) => {
      sent.push(await request.json());
      return HttpResponse.json({ ...template, name: 'Batch two' }, { status: 201 });
    }),
  );
  const { user } = await start();
  for (let step = 0; step < 3; step += 1) await user.click(await next());
  await user.click(screen.getByRole('button', { name: 'Save as a template' }));
  const name = screen.getByLabelText('Name of the template');
  await user.clear(name);
  await user.type(name, 'Batch two');
  await user.click(screen.getByLabelText(/Everybody/));
  await user.click(screen.getByRole('button', { name: 'Save the template' }));
  expect(await screen.findByText('The template “Batch two” is saved.')).toBeVisible();
  expect(sent).toEqual([{ ...settingsOf(template), targets: template.targets, name: 'Batch two', shared: true }]);
});

test('a panel of a template that is offered no longer is left out, and that is said', async () => {
  serve('/api/v1/panels', page([makePanel(2)]));
  renderRoutes(routes, `/jobs/new?template=${template.id}`);
  expect(await screen.findByText(/1 panel of this template is not offered any more/)).toBeVisible();
});

test('where data may not go nothing can be chosen, neither as an alternate', async () => {
  serve('/api/v1/job-templates/:id', { ...template, residency: { countries: ['ZA'] } });
  const { user } = await start();
  await user.click(await next());
  const nairobi = await screen.findByRole('region', { name: 'Nairobi node' });
  expect(within(nairobi).getByText('Kenya: your data may not go there.')).toBeVisible();
  expect(within(nairobi).getByRole('checkbox')).toBeDisabled();
  expect(screen.queryByRole('group', { name: /cannot take it/ })).toBeNull();
  await user.click(screen.getByRole('combobox', { name: 'Countries' }));
  await user.click(screen.getByRole('option', { name: 'Kenya' }));
  expect(within(nairobi).getByRole('checkbox')).toBeEnabled();
});

test('what is left of a quota is shown before, and what frees it when it is used up', async () => {
  const person = { ...noQuota.person, running_runs: { used: 50, most: 50 }, jobs_per_month: { used: 7, most: 500 } };
  serve('/api/v1/jobs/quota', { ...noQuota, person });
  const quota = { name: 'jobs_per_month', subject: 'organization', most: 9, used: 9, wanted: 1 };
  server.use(
    http.post('/api/v1/jobs', () =>
      HttpResponse.json(
        { title: 'Quota', status: 429, code: 'quota_exceeded', quota: { ...quota, frees_at: noQuota.month_ends_at } },
        { status: 429 },
      ),
    ),
  );
  const { user } = await start();
  for (let step = 0; step < 3; step += 1) await user.click(await next());
  expect(await screen.findByText('50 of 50')).toBeVisible();
  expect(screen.getByText('7 of 500')).toBeVisible();
  expect(screen.getByText(/There is room again when a run under way has ended/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Submit the job' }));
  expect(await screen.findByText('This does not fit: Jobs this month (your organisation)')).toBeVisible();
  expect(screen.getByText(/There is room again on .*2026/)).toBeVisible();
});
