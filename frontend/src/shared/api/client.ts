import createClient from 'openapi-fetch';

import type { components, paths } from './schema';
import { getAccessToken, renewAccess } from './tokens';

/** `fetch` with the log-in's token; one refusal is answered with a new token, a second one is the caller's. */
async function fetchAuthorized(request: Request): Promise<Response> {
  const token = await getAccessToken();
  const again = request.clone();
  const answer = await globalThis.fetch(authorize(request, token));
  if (answer.status !== 401 || token === null) return answer;
  const renewed = await renewAccess(token);
  return renewed === null ? answer : globalThis.fetch(authorize(again, renewed));
}

function authorize(request: Request, token: string | null): Request {
  if (token !== null) request.headers.set('Authorization', `Bearer ${token}`);
  return request;
}

const baseUrl = globalThis.location?.origin;

/** For people who are logged in. */
export const api = createClient<paths>({ baseUrl, fetch: fetchAuthorized });
/** For those who are not (yet). */
export const publicApi = createClient<paths>({ baseUrl, fetch: (request) => globalThis.fetch(request) });

export type Schemas = components['schemas'];
