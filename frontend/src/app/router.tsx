import { createBrowserRouter, redirect, type RouteObject } from 'react-router';

import { hasLogin } from '@/shared/api/tokens';
import { LoginPage } from '@/features/accounts/components/LoginPage';
import { RegisterPage } from '@/features/accounts/components/RegisterPage';
import { JobsPage } from '@/features/jobs/components/JobsPage';
import { NotificationsPage } from '@/features/notifications/components/NotificationsPage';
import { OperationsPage } from '@/features/operations/components/OperationsPage';
import { SitePage } from '@/features/sites/components/SitePage';
import { SitesPage } from '@/features/sites/components/SitesPage';
import { NewJobPage } from '@/features/submission/components/NewJobPage';
import { TemplatePage } from '@/features/submission/components/TemplatePage';
import { TemplatesPage } from '@/features/submission/components/TemplatesPage';

import { CrashPage, NotFoundPage } from './LostPages';
import { Shell } from './Shell';

const DESTINATION = 'to';
/** What stands until the first page's loader has decided: a moment only. */
const Blank = () => null;

/** Pages for people who are logged in; others log in first, and then come to where they wanted to go. */
function requireLogin({ request }: { request: Request }): Response | null {
  if (hasLogin()) return null;
  const { pathname } = new URL(request.url);
  return redirect(pathname === '/' ? '/login' : `/login?${DESTINATION}=${encodeURIComponent(pathname)}`);
}

function leaveWhenLoggedIn({ request }: { request: Request }): Response | null {
  if (!hasLogin()) return null;
  const wanted = new URL(request.url).searchParams.get(DESTINATION) ?? '/jobs';
  // Only paths of our own: `//host` would lead elsewhere.
  return redirect(/^\/(?![/\\])/.test(wanted) ? wanted : '/jobs');
}

export const routes: RouteObject[] = [
  { path: '/login', loader: leaveWhenLoggedIn, Component: LoginPage, HydrateFallback: Blank },
  { path: '/register', loader: leaveWhenLoggedIn, Component: RegisterPage, HydrateFallback: Blank },
  {
    path: '/',
    loader: requireLogin,
    shouldRevalidate: () => true,
    Component: Shell,
    ErrorBoundary: CrashPage,
    HydrateFallback: Blank,
    children: [
      { index: true, loader: () => redirect('/jobs') },
      { path: 'jobs', Component: JobsPage },
      { path: 'jobs/new', Component: NewJobPage },
      {
        path: 'jobs/:jobId',
        // The charts are half of all code, and only this page needs them.
        lazy: async () => ({ Component: (await import('@/features/jobs/components/JobPage')).JobPage }),
      },
      { path: 'templates', Component: TemplatesPage },
      { path: 'templates/new', Component: TemplatePage },
      { path: 'templates/:templateId', Component: TemplatePage },
      { path: 'sites', Component: SitesPage },
      { path: 'sites/:siteId', Component: SitePage },
      { path: 'notifications', Component: NotificationsPage },
      {
        path: 'account',
        lazy: async () => ({ Component: (await import('@/features/accounts/components/AccountPage')).AccountPage }),
      },
      { path: 'operations', Component: OperationsPage },
      { path: '*', Component: NotFoundPage },
    ],
  },
];

export const makeRouter = () => createBrowserRouter(routes);
