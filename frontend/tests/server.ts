import { http, HttpResponse, type JsonBodyType } from 'msw';
import { setupServer } from 'msw/node';

/** Stands in for the gateway; each test says what it answers, and a request nobody expected fails the test. */
export const server = setupServer();

const answer = (body: JsonBodyType) => HttpResponse.json(body);

/** `GET path` answers `body`. */
export const serve = (path: string, body: JsonBodyType): void => server.use(http.get(path, () => answer(body)));

export const page = (items: JsonBodyType[]) => ({ items, next_cursor: null, total: items.length });

/** An answer of RFC 9457, as every service makes it. */
export const problem = (status: number, code: string, detail: string) =>
  HttpResponse.json({ type: 'about:blank', title: code, status, detail, code, request_id: 'req-1' }, { status });
