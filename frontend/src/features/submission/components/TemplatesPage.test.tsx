import { screen, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { expectAccessible, renderRoutes } from '@tests/render';
import { makePanel, otherSite, site, template } from '@tests/samples';
import { page, problem, serve, server } from '@tests/server';

import { TemplatePage } from './TemplatePage';
import { TemplatesPage } from './TemplatesPage';

const routes = [
  { path: '/templates', Component: TemplatesPage },
  { path: '/templates/:templateId', Component: TemplatePage },
];
const foreign = {
  ...template,
  id: '88888888-0000-4000-8000-000000000002',
  name: 'Theirs',
  is_own: false,
  shared: true,
};

beforeEach(() => {
  serve('/api/v1/job-templates', page([template, foreign]));
  serve('/api/v1/job-templates/:id', template);
  serve('/api/v1/services', page([site, otherSite]));
  serve('/api/v1/panels', page([makePanel(1), makePanel(2)]));
});

test('templates can be used; only those of one’s own are changed', async () => {
  const { container } = renderRoutes(routes, '/templates');
  const [own, theirs] = await screen.findAllByRole('article');
  expect(await screen.findAllByText('Panel 1 · Cape Town node')).toHaveLength(2);
  const use = within(own as HTMLElement).getByRole('link', { name: 'Start a job' });
  expect(use).toHaveAttribute('href', `/jobs/new?template=${template.id}`);
  expect(within(own as HTMLElement).getByRole('link', { name: 'Edit' })).toBeVisible();
  expect(within(theirs as HTMLElement).queryByRole('link', { name: 'Edit' })).toBeNull();
  expect(within(theirs as HTMLElement).getByText('Shared by somebody in your organisation.')).toBeVisible();
  await expectAccessible(container);
});

test('a template is deleted only after one has said so', async () => {
  const { user } = renderRoutes(routes, '/templates');
  await user.click(await screen.findByRole('button', { name: 'Delete' }));
  server.use(
    http.delete('/api/v1/job-templates/:id', ({ params }) => {
      expect(params.id).toBe(template.id);
      serve('/api/v1/job-templates', page([foreign]));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  await user.click(within(screen.getByRole('dialog')).getByRole('button', { name: 'Delete' }));
  expect(await screen.findByRole('heading', { name: 'Theirs' })).toBeVisible();
  await expect.poll(() => screen.queryByRole('heading', { name: 'Usual panels' })).toBeNull();
});

test('a template is edited, and a refusal is told before it is left', async () => {
  const sent: unknown[] = [];
  server.use(
    http.put('/api/v1/job-templates/:id', async ({ request }) => {
      sent.push(await request.json());
      return sent.length === 1 ? problem(400, 'job_refused', 'No such population.') : HttpResponse.json(template);
    }),
  );
  const { user, container } = renderRoutes(routes, `/templates/${template.id}`);
  const panels = await screen.findByRole('region', { name: 'Cape Town node' });
  expect(within(panels).getByRole('checkbox', { name: /Panel 1/ })).toBeChecked();
  await user.click(within(panels).getByRole('checkbox', { name: /Panel 2/ }));
  await expectAccessible(container);
  await user.click(screen.getByRole('button', { name: 'Save the template' }));
  expect(await screen.findByText('No such population.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Save the template' }));
  expect(await screen.findByRole('heading', { name: 'Templates' })).toBeVisible();
  const second = { service_id: site.id, panel_id: makePanel(2).id, alternates: [], failover_after_s: 900 };
  expect(sent[1]).toMatchObject({
    name: 'Usual panels',
    population: 'AFR',
    shared: false,
    targets: [template.targets[0], second],
  });
});
