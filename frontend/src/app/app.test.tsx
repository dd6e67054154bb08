import { screen, waitFor } from '@testing-library/react';
import { http, HttpResponse, ws } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { chooseLanguage } from '@/shared/i18n';
import { endLogin } from '@/shared/api/tokens';
import { expectAccessible, renderRoutes } from '@tests/render';
import { account, job, site } from '@tests/samples';
import { page, serve, server } from '@tests/server';

import { routes } from './router';

const service = {
  name: 'file_manager',
  up: false,
  state: 'down',
  version: null,
  latency_p50_ms: null,
  latency_p95_ms: null,
  error_rate: null,
  memory_bytes: null,
  started_at: null,
  uptime_s: null,
  ready_since: null,
  checked_at: null,
  error: 'Nothing answers at this address.',
  dependencies: {},
  outbox: [],
};

const incident = (kind: string, began_at: string, duration_s: number | null) => ({
  service: 'file_manager',
  kind,
  began_at,
  ended_at: duration_s === null ? null : began_at,
  duration_s,
  message: '',
});

beforeEach(() => {
  server.use(ws.link('ws://*/api/v1/events').addEventListener('connection', () => undefined));
  serve('/api/v1/users/me', account);
  serve('/api/v1/notifications', page([]));
  serve('/api/v1/services', page([site]));
  serve('/api/v1/panels', page([]));
  serve('/api/v1/jobs', page([job]));
});

test('people see their jobs, and links to what they may use only', async () => {
  const { container } = renderRoutes(routes, '/jobs');
  expect(await screen.findByRole('link', { name: 'Cohort A' })).toBeVisible();
  expect(await screen.findByText('Example Institute')).toBeVisible();
  expect(screen.queryByRole('link', { name: 'Operations' })).toBeNull();
  expect(screen.queryByRole('link', { name: 'Curation' })).toBeNull();
  await expectAccessible(container);
});

test('curators get to Django admin, operators to their page', async () => {
  serve('/api/v1/users/me', { ...account, roles: ['curator', 'operator'] });
  renderRoutes(routes, '/jobs');
  expect(await screen.findByRole('link', { name: 'Curation' })).toHaveAttribute('href', '/admin/');
  expect(screen.getByRole('link', { name: 'Operations' })).toHaveAttribute('href', '/operations');
});

test('who is not logged in logs in first, and comes to where they wanted to go', async () => {
  const { router } = renderRoutes(routes, '/jobs');
  await screen.findByRole('link', { name: 'Cohort A' });
  endLogin();
  await router.navigate('/sites');
  expect(await screen.findByRole('heading', { name: 'Log in' })).toBeVisible();
  expect(router.state.location.search).toBe('?to=%2Fsites');
});

test('a way to another page that is not ours is not followed', async () => {
  const { router } = renderRoutes(routes, '/login?to=//elsewhere.example.org');
  await waitFor(() => expect(router.state.location.pathname).toBe('/jobs'));
});

test('operators see what is down and why', async () => {
  const sites = { total: 1, available: 1, by_health: { healthy: 1 }, items: [site], error: null };
  const outbox = { depth: 0, oldest_age_s: 0 };
  serve('/api/v1/monitoring/overview', {
    status: 'degraded',
    services_up: 0,
    services_total: 1,
    services: [service],
    outbox,
    sites,
    incidents: [
      incident('down', '2026-03-01T10:00:01Z', 1.5),
      incident('down', '2026-03-01T11:00:01Z', null),
      incident('restarted', '2026-03-01T09:00:01Z', 0),
    ],
    measured_at: '2026-03-01T11:00:05Z',
  });
  renderRoutes(routes, '/operations');
  expect(await screen.findByRole('row', { name: /file_manager Was down .*1\.5 sec/ })).toBeVisible();
  expect(screen.getByRole('row', { name: /file_manager Was down .*still on/ })).toBeVisible();
  expect(screen.getByRole('row', { name: /file_manager Was restarted .*–/ })).toBeVisible();
  expect(await screen.findByText('Nothing answers at this address.')).toBeVisible();
  expect(screen.getByText('Down')).toBeVisible();
  expect(screen.getByText('0 / 1')).toBeVisible();
});

test('notifications lead to their job and are marked as read', async () => {
  const item = {
    id: 'n1',
    type: 'job.updated',
    title: 'Results are ready',
    message: 'All runs are completed.',
    data: { job_id: job.id },
    created_at: job.created_at,
    read_at: null,
  };
  const marked: string[] = [];
  serve('/api/v1/notifications', page([item]));
  server.use(
    http.post('/api/v1/notifications/:id/read', ({ params }) => {
      marked.push(String(params.id));
      return HttpResponse.json({ ...item, read_at: job.created_at });
    }),
  );
  const { user } = renderRoutes(routes, '/notifications');
  expect(await screen.findByRole('link', { name: 'Results are ready' })).toHaveAttribute('href', `/jobs/${job.id}`);
  await user.click(screen.getByRole('button', { name: /Mark as read: Results/ }));
  await waitFor(() => expect(marked).toEqual(['n1']));
});

test('the pages speak French', async () => {
  renderRoutes(routes, '/jobs');
  await screen.findByRole('link', { name: 'Cohort A' });
  await chooseLanguage('fr');
  expect(await screen.findByRole('heading', { name: 'Travaux' })).toBeVisible();
  expect(document.documentElement.lang).toBe('fr');
  await chooseLanguage('en');
});
