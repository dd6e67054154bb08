import * as z from 'zod';

/**
 * One log-in of one person, shared by all tabs: the access token lives in memory only, the refresh token in
 * localStorage (docs/adr says why). Refresh tokens rotate, and one that comes back late ends the log-in; so at any
 * time one request for new tokens is under way, in this tab (`pending`) and among tabs (a Web Lock).
 */
const STORED = 'imputehub.refresh_token';
const LOCK = 'imputehub.refresh';
/** Tokens that end within this time are renewed before they are used (ms). */
const MARGIN_MS = 30_000;

const grantSchema = z.object({
  access_token: z.string(),
  expires_in: z.number(),
  refresh_token: z.string(),
});

interface Access {
  token: string;
  endsAt: number;
}

let access: Access | null = null;
let pending: Promise<string | null> | null = null;
const listeners = new Set<() => void>();

export const hasLogin = (): boolean => localStorage.getItem(STORED) !== null;

export function subscribeLogin(listener: () => void): () => void {
  const onStorage = (event: StorageEvent) => {
    if (event.key !== STORED && event.key !== null) return;
    if (!hasLogin()) access = null;
    listener();
  };
  listeners.add(listener);
  window.addEventListener('storage', onStorage);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', onStorage);
  };
}

export function acceptGrant(answer: unknown): void {
  const grant = grantSchema.parse(answer);
  access = { token: grant.access_token, endsAt: Date.now() + grant.expires_in * 1000 };
  localStorage.setItem(STORED, grant.refresh_token);
  listeners.forEach((listener) => listener());
}

export function endLogin(): void {
  access = null;
  localStorage.removeItem(STORED);
  listeners.forEach((listener) => listener());
}

/** A token that is good for the next half minute at least, or null when nobody is logged in (any more). */
export async function getAccessToken(): Promise<string | null> {
  if (access && access.endsAt - Date.now() > MARGIN_MS) return access.token;
  return renewAccess();
}

/** New tokens. `refused` is the access token that a service did not take: if another is here by now, that one is it. */
export function renewAccess(refused?: string): Promise<string | null> {
  if (refused !== undefined && access && access.token !== refused) return Promise.resolve(access.token);
  pending ??= lockAmongTabs(requestTokens).finally(() => {
    pending = null;
  });
  return pending;
}

// Browsers give locks to pages from https and from this machine only; elsewhere tabs are on their own.
async function lockAmongTabs<T>(work: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? await navigator.locks.request(LOCK, work) : work();
}

async function requestTokens(): Promise<string | null> {
  // Read within the lock: another tab may have rotated it while this one waited.
  const refreshToken = localStorage.getItem(STORED);
  if (refreshToken === null) return null;
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const answer = await globalThis.fetch('/api/v1/auth/token', { method: 'POST', body });
  if (answer.ok) {
    acceptGrant(await answer.json());
    return access?.token ?? null;
  }
  // Only a refusal ends the log-in; a service that is away for a moment does not.
  if (answer.status === 400 || answer.status === 401) {
    endLogin();
    return null;
  }
  throw new TypeError(`The log-in could not be renewed (${answer.status}).`);
}
