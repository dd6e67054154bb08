import { endLogin, getAccessToken } from '@/shared/api/tokens';

/**
 * Ends the log-in in this browser, in all its tabs, and on the platform. A platform that cannot be reached keeps nobody
 * logged in here: its side of the log-in then ends by itself.
 */
export async function logOut(): Promise<void> {
  const token = await getAccessToken().catch(() => null);
  endLogin();
  if (token === null) return;
  const headers = { Authorization: `Bearer ${token}` };
  // `keepalive`: people close the page right after.
  await globalThis.fetch('/api/v1/auth/logout', { method: 'POST', headers, keepalive: true }).catch(() => undefined);
}
