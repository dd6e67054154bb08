import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { expectAccessible, renderRoutes } from '@tests/render';
import { file, job, makePanel, noQuota, quality, site } from '@tests/samples';
import { page, problem, serve, server } from '@tests/server';

import { NewJobPage } from './NewJobPage';

const routes = [
  { path: '/jobs/new', Component: NewJobPage },
  { path: '/jobs/:jobId', element: <p>The job's page</p> },
];
const vcf = new File(['##fileformat=VCFv4.2'], file.filename);
const next = () => screen.getByRole('button', { name: /^Next/ });

beforeEach(() => {
  serve('/api/v1/job-templates', page([]));
  serve('/api/v1/jobs/quota', noQuota);
  serve('/api/v1/files', page([]));
  serve('/api/v1/services', page([site]));
  serve(
    '/api/v1/panels',
    page([makePanel(1), makePanel(2, { populations: ['afr'] }), makePanel(3, { build: 'hg19' })]),
  );
  serve('/api/v1/files/:id', file);
  serve('/api/v1/files/:id/qc', quality);
  server.use(http.post('/api/v1/files', () => HttpResponse.json({ ...file, status: 'uploaded' }, { status: 201 })));
});

test('from an upload to a job with two targets', async () => {
  const sent: { body: unknown; key: string | null }[] = [];
  server.use(
    http.post('/api/v1/jobs', async ({ request }) => {
      sent.push({ body: await request.json(), key: request.headers.get('Idempotency-Key') });
      return sent.length === 1
        ? problem(503, 'unavailable', 'Try again in a minute.')
        : HttpResponse.json(job, { status: 202 });
    }),
  );
  const { user, container } = renderRoutes(routes, '/jobs/new');
  await user.upload(screen.getByLabelText('Choose VCF files', { selector: 'input' }), vcf);
  expect(await screen.findByText('1,469')).toBeVisible();
  await expectAccessible(container);
  await user.click(next());

  // Panels of the files' build only.
  expect(screen.queryByRole('checkbox', { name: /Panel 3/ })).toBeNull();
  expect(next()).toBeDisabled();
  await user.click(await screen.findByRole('checkbox', { name: /Panel 1/ }));
  await user.click(screen.getByRole('checkbox', { name: /Panel 2/ }));
  await user.click(next());

  await user.type(screen.getByLabelText('Name of the job'), 'Cohort A');
  await user.click(screen.getByRole('combobox', { name: 'Population' }));
  const populations = within(screen.getByRole('listbox')).getAllByRole('option');
  expect(populations.map((option) => option.textContent)).toEqual(['not stated', 'AFR']);
  await user.click(screen.getByRole('option', { name: 'AFR' }));
  await user.click(next());

  expect(await screen.findByRole('heading', { name: '2 runs' })).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Submit the job' }));
  expect(await screen.findByText('Try again in a minute.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Submit the job' }));
  expect(await screen.findByText("The job's page")).toBeVisible();

  expect(sent[0]?.body).toEqual({
    name: 'Cohort A',
    input_file_ids: [file.id],
    build: 'hg38',
    phasing: 'no_phasing',
    population: 'AFR',
    r2_filter: 0.3,
    mode: 'imputation',
    targets: [1, 2].map((number) => ({
      service_id: site.id,
      panel_id: makePanel(number).id,
      alternates: [],
      failover_after_s: 900,
    })),
    priority: 'normal',
    residency: null,
  });
  expect(sent[1]).toEqual(sent[0]);
  expect(sent[0]?.key).toMatch(/^[\da-f-]{36}$/);
});

test('a file that will not pass stops here, and its report says what to do', async () => {
  const issue = { code: 'build_unknown', severity: 'error', message: 'No build.', count: 1, fix: 'Add contig lines.' };
  serve('/api/v1/files/:id', { ...file, status: 'rejected' });
  serve('/api/v1/files/:id/qc', { ...quality, verdict: 'fail', issues: [issue] });
  const { user } = renderRoutes(routes, '/jobs/new');
  await user.upload(screen.getByLabelText('Choose VCF files', { selector: 'input' }), vcf);
  expect(await screen.findByText('Add contig lines.')).toBeVisible();
  expect(screen.getByText('Will not pass')).toBeVisible();
  expect(next()).toBeDisabled();
  await user.click(screen.getByRole('button', { name: 'Leave out' }));
  expect(screen.queryByText('Add contig lines.')).toBeNull();
});

test('while a file is being checked one cannot go on; the end of the check is shown when it is told', async () => {
  serve('/api/v1/files/:id', { ...file, status: 'checking' });
  const { user, client } = renderRoutes(routes, '/jobs/new');
  await user.upload(screen.getByLabelText('Choose VCF files', { selector: 'input' }), vcf);
  expect((await screen.findAllByText(/Checking the file/))[0]).toBeVisible();
  expect(next()).toBeDisabled();
  serve('/api/v1/files/:id', file);
  await client.invalidateQueries({ queryKey: ['file', file.id] });
  await waitFor(() => expect(next()).toBeEnabled());
});

test("an upload that is refused is told in the platform's words, and can be tried again", async () => {
  server.use(
    http.post('/api/v1/files', () => problem(413, 'too_large', 'A file may have 500 MiB at most.'), { once: true }),
  );
  const { user } = renderRoutes(routes, '/jobs/new');
  await user.upload(screen.getByLabelText('Choose VCF files', { selector: 'input' }), vcf);
  expect(await screen.findByText('A file may have 500 MiB at most.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('1,469')).toBeVisible();
});
