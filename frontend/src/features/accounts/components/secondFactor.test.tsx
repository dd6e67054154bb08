import { screen, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, expect, test } from 'vitest';

import { endLogin, hasLogin } from '@/shared/api/tokens';
import { expectAccessible, grant, renderRoutes } from '@tests/render';
import { account } from '@tests/samples';
import { problem, serve, server } from '@tests/server';

import { AccountPage } from './AccountPage';
import { LoginPage } from './LoginPage';

const MFA = '/api/v1/users/me/mfa';
const codes = Array.from({ length: 10 }, (_, number) => `aaaa-bbbb-cccc-dd${number}2`);
const off = { enabled: false, enabled_at: null, recovery_codes_left: 0 };
const on = { enabled: true, enabled_at: '2026-03-01T10:00:00Z', recovery_codes_left: 10 };

const renderAccount = () => renderRoutes([{ path: '/account', Component: AccountPage }], '/account');

/** `POST path` answers `body`; the bodies that came. */
function accept(path: string, body: object | null, status = 200): unknown[] {
  const received: unknown[] = [];
  server.use(
    http.post(path, async ({ request }) => {
      received.push(await request.json());
      return body === null ? new HttpResponse(null, { status: 204 }) : HttpResponse.json(body, { status });
    }),
  );
  return received;
}

beforeEach(() => serve('/api/v1/users/me', account));

test('a second factor is set up with password, app and code, and its recovery codes are shown once', async () => {
  serve(MFA, off);
  const uri = 'otpauth://totp/ImputeHub:researcher%40example.org?secret=ABCDEFGHIJKLMNOP&issuer=ImputeHub';
  const enrolled = accept(MFA, { secret: 'ABCDEFGHIJKLMNOP', otpauth_uri: uri }, 201);
  const { user, container } = renderAccount();
  await user.click(await screen.findByRole('button', { name: 'Set up a second factor' }));
  await user.type(screen.getByLabelText('Password'), 'correct horse');
  await user.click(screen.getByRole('button', { name: 'Continue' }));
  expect(await screen.findByRole('img', { name: 'QR code for an authenticator app' })).toBeVisible();
  expect(screen.getByText('ABCD EFGH IJKL MNOP')).toBeVisible();
  expect(enrolled).toEqual([{ password: 'correct horse' }]);
  await expectAccessible(container);

  server.use(http.post(`${MFA}/confirm`, () => problem(403, 'otp_invalid', 'The code is wrong.')));
  await user.type(screen.getByLabelText('Code of your app'), '000000{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent('The code is wrong.');

  serve(MFA, on);
  const confirmed = accept(`${MFA}/confirm`, { recovery_codes: codes });
  await user.clear(screen.getByLabelText('Code of your app'));
  await user.type(screen.getByLabelText('Code of your app'), '123456{Enter}');
  const list = await screen.findByRole('list', { name: 'Recovery codes' });
  expect(
    within(list)
      .getAllByRole('listitem')
      .map((item) => item.textContent),
  ).toEqual(codes);
  expect(confirmed).toEqual([{ otp: '123456' }]);
  const file = decodeURIComponent(screen.getByRole('link', { name: 'Download' }).getAttribute('href') ?? '');
  expect(file).toBe(`data:text/plain;charset=utf-8,${codes.join('\n')}\n`);
  await user.click(screen.getByRole('button', { name: 'Copy' }));
  expect(await screen.findByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await navigator.clipboard.readText()).toContain(codes[9]);
  await expectAccessible(container);

  await user.click(screen.getByRole('button', { name: 'I have stored them' }));
  expect(await screen.findByText(/It is on, since/)).toBeVisible();
  expect(screen.queryByText(codes[0] ?? '')).toBeNull();
});

test('switching off needs the password and a code', async () => {
  serve(MFA, { ...on, recovery_codes_left: 1 });
  const { user, container } = renderAccount();
  expect(await screen.findByText(/1 recovery code is left/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Switch it off' }));
  expect(screen.getByRole('button', { name: 'Switch it off' })).toBeDisabled();
  await expectAccessible(container);
  server.use(http.post(`${MFA}/disable`, () => problem(403, 'wrong_password', 'The password is wrong.')));
  await user.type(screen.getByLabelText('Password'), 'correct horse');
  await user.type(screen.getByLabelText('Code of your app, or a recovery code'), '123456{Enter}');
  expect(await screen.findByText('The password is wrong.')).toBeVisible();
  const disabled = accept(`${MFA}/disable`, null);
  serve(MFA, off);
  await user.click(screen.getByRole('button', { name: 'Switch it off' }));
  expect(await screen.findByRole('button', { name: 'Set up a second factor' })).toBeVisible();
  expect(disabled).toEqual([{ password: 'correct horse', otp: '123456' }]);
});

test('new recovery codes take the place of the old', async () => {
  serve(MFA, on);
  const renewed = accept(`${MFA}/recovery-codes`, { recovery_codes: codes });
  const { user } = renderAccount();
  await user.click(await screen.findByRole('button', { name: 'New recovery codes' }));
  await user.type(screen.getByLabelText('Password'), 'correct horse');
  await user.type(screen.getByLabelText('Code of your app, or a recovery code'), '123456{Enter}');
  expect(await screen.findByText(codes[0] ?? '')).toBeVisible();
  expect(renewed).toEqual([{ password: 'correct horse', otp: '123456' }]);
});

test('the log-in asks for a code when the account has a second factor', async () => {
  const forms: Record<string, unknown>[] = [];
  server.use(
    http.post('/api/v1/auth/token', async ({ request }) => {
      const form = Object.fromEntries(await request.formData());
      forms.push(form);
      if (form['otp'] === '123456') return HttpResponse.json(grant(1));
      return form['otp'] === undefined
        ? problem(400, 'otp_required', 'Give the code.')
        : problem(400, 'otp_invalid', 'The code is wrong.');
    }),
  );
  const { user, container } = renderRoutes([{ path: '/login', Component: LoginPage }], '/login');
  endLogin();
  await user.type(screen.getByLabelText('E-mail'), 'researcher@example.org');
  await user.type(screen.getByLabelText('Password'), 'correct horse{Enter}');
  const code = await screen.findByLabelText('Code of your app');
  expect(code).toHaveFocus();
  expect(screen.queryByRole('alert')).toBeNull();
  await expectAccessible(container);
  await user.keyboard('{Enter}');
  expect(code).toBeInvalid();
  await user.type(code, '000000{Enter}');
  expect(await screen.findByRole('alert')).toHaveTextContent('The code is wrong.');
  await user.clear(code);
  await user.type(code, ' 123456 {Enter}');
  await expect.poll(hasLogin).toBe(true);
  expect(forms.map((form) => form['otp'])).toEqual([undefined, '000000', '123456']);
});
