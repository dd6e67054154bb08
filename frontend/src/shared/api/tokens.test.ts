import { http, HttpResponse } from 'msw';
import { expect, test } from 'vitest';

import { problem, server } from '@tests/server';
import { grant } from '@tests/render';

import { api } from './client';
import { unwrap } from './problem';
import { acceptGrant, getAccessToken, hasLogin, renewAccess } from './tokens';

/** Rotates as the platform does: each refresh token works once. */
function serveRotation(): string[] {
  const used: string[] = [];
  let valid = 1;
  server.use(
    http.post('/api/v1/auth/token', async ({ request }) => {
      const given = String((await request.formData()).get('refresh_token'));
      used.push(given);
      if (given !== `refresh-${valid}`) return problem(400, 'invalid_grant', 'The log-in has ended.');
      valid += 1;
      return HttpResponse.json(grant(valid));
    }),
  );
  return used;
}

test('many requests at once renew the log-in once', async () => {
  const used = serveRotation();
  acceptGrant({ ...grant(1), expires_in: 1 });
  const tokens = await Promise.all(Array.from({ length: 8 }, () => getAccessToken()));
  expect(new Set(tokens)).toEqual(new Set(['access-2']));
  expect(used).toEqual(['refresh-1']);
  expect(localStorage.getItem('imputehub.refresh_token')).toBe('refresh-2');
});

test('a token that is good is used without asking', async () => {
  acceptGrant(grant(1));
  expect(await getAccessToken()).toBe('access-1');
});

test('the access token is not kept where other scripts would find it', () => {
  acceptGrant(grant(1));
  expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('access-1');
});

test('a refused refresh ends the log-in', async () => {
  serveRotation();
  acceptGrant({ ...grant(9), expires_in: 1 });
  expect(await getAccessToken()).toBeNull();
  expect(hasLogin()).toBe(false);
});

test('a platform that is away for a moment does not end the log-in', async () => {
  server.use(http.post('/api/v1/auth/token', () => problem(503, 'unavailable', 'Try again.')));
  acceptGrant(grant(1));
  await expect(renewAccess()).rejects.toThrow('503');
  expect(hasLogin()).toBe(true);
});

test('a refused access token is renewed, and the request sent again with its body', async () => {
  serveRotation();
  acceptGrant(grant(1));
  const bodies: unknown[] = [];
  server.use(
    http.patch('/api/v1/users/me', async ({ request }) => {
      bodies.push(await request.json());
      return request.headers.get('Authorization') === 'Bearer access-2'
        ? HttpResponse.json({ full_name: 'New' })
        : problem(401, 'token_revoked', 'Log in again.');
    }),
  );
  const answer = await unwrap(api.PATCH('/api/v1/users/me', { body: { full_name: 'New' } }));
  expect(answer.full_name).toBe('New');
  expect(bodies).toEqual([{ full_name: 'New' }, { full_name: 'New' }]);
});
