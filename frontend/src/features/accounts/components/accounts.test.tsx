import { screen } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import { acceptGrant, endLogin, hasLogin } from '@/shared/api/tokens';
import { expectAccessible, grant, renderRoutes } from '@tests/render';
import { problem, server } from '@tests/server';

import { logOut } from '@/features/accounts/api/logout';

import { LoginPage } from './LoginPage';
import { RegisterPage } from './RegisterPage';

const routes = [
  { path: '/login', Component: LoginPage },
  { path: '/register', Component: RegisterPage },
];

function renderEntry(path: string) {
  const view = renderRoutes(routes, path);
  endLogin();
  return view;
}

test('logging in sends the OAuth form and keeps the log-in', async () => {
  let form: FormData | undefined;
  server.use(
    http.post('/api/v1/auth/token', async ({ request }) => {
      form = await request.formData();
      return HttpResponse.json(grant(1));
    }),
  );
  const { user, container } = renderEntry('/login');
  await expectAccessible(container);
  await user.type(screen.getByLabelText('E-mail'), 'researcher@example.org');
  await user.type(screen.getByLabelText('Password'), 'correct horse');
  await user.click(screen.getByRole('button', { name: 'Log in' }));
  await expect.poll(hasLogin).toBe(true);
  expect(form && Object.fromEntries(form)).toEqual({
    grant_type: 'password',
    username: 'researcher@example.org',
    password: 'correct horse',
  });
});

test("a refused log-in is told in the platform's words, with the request's id", async () => {
  server.use(http.post('/api/v1/auth/token', () => problem(400, 'invalid_grant', 'E-mail or password is wrong.')));
  const { user } = renderEntry('/login');
  await user.type(screen.getByLabelText('E-mail'), 'researcher@example.org');
  await user.type(screen.getByLabelText('Password'), 'wrong');
  await user.click(screen.getByRole('button', { name: 'Log in' }));
  const note = await screen.findByRole('alert');
  expect(note).toHaveTextContent('E-mail or password is wrong.');
  expect(note).toHaveTextContent('req-1');
  expect(hasLogin()).toBe(false);
});

test('a registration that cannot succeed is not sent', async () => {
  const { user } = renderEntry('/register');
  await user.type(screen.getByLabelText('E-mail'), 'no address');
  await user.type(screen.getByLabelText('Password'), 'short');
  await user.click(screen.getByRole('button', { name: 'Create an account' }));
  expect(await screen.findByText(/Give an e-mail address/)).toBeVisible();
  expect(screen.getByLabelText('Password')).toBeInvalid();
  expect(screen.getByText('Give your name.')).toBeVisible();
});

test('who registers is logged in', async () => {
  let body: unknown;
  server.use(
    http.post('/api/v1/auth/register', async ({ request }) => {
      body = await request.json();
      return HttpResponse.json({}, { status: 201 });
    }),
    http.post('/api/v1/auth/token', () => HttpResponse.json(grant(1))),
  );
  const { user } = renderEntry('/register');
  await user.type(screen.getByLabelText('Full name'), 'A Researcher');
  await user.type(screen.getByLabelText('E-mail'), 'new@example.org');
  await user.type(screen.getByLabelText('Password'), 'long enough');
  await user.click(screen.getByRole('button', { name: 'Create an account' }));
  await expect.poll(hasLogin).toBe(true);
  expect(body).toEqual({ full_name: 'A Researcher', email: 'new@example.org', password: 'long enough' });
});

test('logging out ends the log-in on the platform too', async () => {
  const authorizations: (string | null)[] = [];
  server.use(
    http.post('/api/v1/auth/logout', ({ request }) => {
      authorizations.push(request.headers.get('Authorization'));
      return new HttpResponse(null, { status: 204 });
    }),
  );
  acceptGrant(grant(3));
  await logOut();
  expect(hasLogin()).toBe(false);
  expect(authorizations).toEqual(['Bearer access-3']);
});

test('a platform that cannot be reached keeps nobody logged in', async () => {
  server.use(http.post('/api/v1/auth/logout', () => HttpResponse.error()));
  acceptGrant(grant(3));
  await logOut();
  expect(hasLogin()).toBe(false);
});

test('who is not logged in any more logs out without a request', async () => {
  endLogin();
  await logOut();
  expect(hasLogin()).toBe(false);
});
