import { QueryClient } from '@tanstack/react-query';
import { ws, type WebSocketHandlerConnection } from 'msw';
import { afterEach, expect, test, vi } from 'vitest';

import { server } from '@tests/server';

import { findChanged, gatherChanges } from './invalidation';
import { LiveChannel, type LiveEvent, type LiveState } from './liveChannel';

const URL = 'ws://platform.example.org/api/v1/events';
const link = ws.link(URL);
const event = (id: string, type = 'job.updated', data = {}): LiveEvent => ({ id, type, data });

let channel: LiveChannel | undefined;
afterEach(() => channel?.stop());

/** A channel whose server does `steps`, one at each connection; what came to either side is kept. */
function open(...steps: ((connection: WebSocketHandlerConnection) => void)[]) {
  const seen = {
    first: [] as unknown[],
    events: [] as (string | undefined)[],
    gaps: 0,
    states: [] as LiveState[],
    renewals: [] as boolean[],
  };
  let count = 0;
  server.use(
    link.addEventListener('connection', (connection) => {
      const step = steps[count++];
      connection.client.addEventListener('message', ({ data }) => {
        seen.first.push(JSON.parse(String(data)));
        step?.(connection);
      });
    }),
  );
  channel = new LiveChannel({
    url: URL,
    getToken: (renew) => {
      seen.renewals.push(renew);
      return Promise.resolve('token');
    },
    onEvent: ({ id }) => seen.events.push(id),
    onGap: () => (seen.gaps += 1),
    onState: (state) => seen.states.push(state),
  });
  channel.start();
  return seen;
}

const send = ({ client }: WebSocketHandlerConnection, ...messages: object[]) =>
  messages.forEach((message) => client.send(JSON.stringify(message)));

test('the token goes first, and events are told in their order', async () => {
  const seen = open((connection) => send(connection, { type: 'stream.opened', after: 'a' }, event('b'), event('c')));
  await vi.waitFor(() => expect(seen.events).toEqual(['b', 'c']));
  expect(seen.first).toEqual([{ token: 'token', after: null }]);
  expect(seen.states).toEqual(['connecting', 'open']);
});

test('after an interruption it goes on behind the last event that came', async () => {
  let interrupt = () => {};
  const seen = open(
    (connection) => {
      send(connection, { type: 'stream.opened', after: 'a' }, event('b'));
      interrupt = () => connection.client.close(1013);
    },
    (connection) => send(connection, { type: 'stream.opened', after: 'b' }, event('c')),
  );
  await vi.waitFor(() => expect(seen.events).toEqual(['b']));
  interrupt();
  await vi.waitFor(() => expect(seen.events).toEqual(['b', 'c']), 5000);
  expect(seen.first[1]).toEqual({ token: 'token', after: 'b' });
  expect(seen.gaps).toBe(1);
});

test('a token that has ended is renewed before it connects again', async () => {
  const seen = open(
    ({ client }) => client.close(4401),
    (connection) => send(connection, { type: 'stream.opened', after: 'a' }),
  );
  await vi.waitFor(() => expect(seen.states.at(-1)).toBe('open'), 5000);
  expect(seen.renewals).toEqual([false, true]);
});

test('when the platform cannot tell what was missed, everything is read anew', async () => {
  const seen = open((connection) =>
    send(connection, { type: 'stream.opened', after: 'a' }, { type: 'stream.reset', after: 'z' }),
  );
  await vi.waitFor(() => expect(seen.gaps).toBe(2));
});

test('a refusal is final', async () => {
  const seen = open(({ client }) => client.close(4403));
  await vi.waitFor(() => expect(seen.states.at(-1)).toBe('interrupted'));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(seen.first).toHaveLength(1);
});

test('an event names what it has changed, and unknown ones nothing', () => {
  expect(findChanged(event('1', 'run.updated', { job_id: 'j' }))).toEqual([['jobs'], ['job', 'j']]);
  expect(findChanged(event('1', 'file.checked', { file_id: 'f' }))).toContainEqual(['file', 'f']);
  const silent = { service_id: 's', step: 'deactivated' };
  expect(findChanged(event('1', 'service.health_changed', silent))).toContainEqual(['panels']);
  const site = findChanged(event('1', 'service.changed', { service_id: 's' }));
  expect(site).toEqual([['sites'], ['site', 's'], ['panels'], ['overview']]);
  expect(findChanged(event('1', 'platform.service_changed', { service: 's' }))).toEqual([['overview']]);
  expect(findChanged(event('1', 'something.new'))).toEqual([]);
});

test('figures of the moment are told too, and are nothing to go on behind', async () => {
  const measured = { type: 'platform.measured', data: { services_up: 8 } };
  let interrupt = () => {};
  const seen = open(
    (connection) => {
      send(connection, { type: 'stream.opened', after: 'a' }, event('b'), measured);
      interrupt = () => connection.client.close(1013);
    },
    (connection) => send(connection, { type: 'stream.opened', after: 'b' }),
  );
  await vi.waitFor(() => expect(seen.events).toEqual(['b', undefined]));
  interrupt();
  await vi.waitFor(() => expect(seen.first[1]).toEqual({ token: 'token', after: 'b' }), 5000);
});

test('the figures of a measurement are shown without a request, older ones not at all', () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  const take = gatherChanges(client);
  const measured = (measured_at: string, services_up: number) =>
    take({ type: 'platform.measured', data: { measured_at, services_up } });
  measured('2026-03-01T10:00:00Z', 7);
  expect(client.getQueryData(['overview'])).toBeUndefined();
  client.setQueryData(['overview'], { measured_at: '2026-03-01T10:00:00Z', services_up: 8, sites: 'as they were' });
  measured('2026-03-01T10:00:10Z', 6);
  measured('2026-03-01T10:00:05Z', 1);
  expect(client.getQueryData(['overview'])).toEqual({
    measured_at: '2026-03-01T10:00:10Z',
    services_up: 6,
    sites: 'as they were',
  });
  expect(invalidate).not.toHaveBeenCalled();
});

test('an overview whose sites were read long ago is read anew when figures come', () => {
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  client.setQueryData(['overview'], { measured_at: null }, { updatedAt: Date.now() - 6 * 60_000 });
  gatherChanges(client)({ type: 'platform.measured', data: { measured_at: '2026-03-01T10:00:00Z' } });
  expect(invalidate).toHaveBeenCalledWith({ queryKey: ['overview'] });
});

test('a burst of events makes each thing be read once', () => {
  vi.useFakeTimers();
  const client = new QueryClient();
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  const take = gatherChanges(client);
  for (let number = 0; number < 20; number += 1) take(event(`${number}`, 'run.updated', { job_id: 'j' }));
  vi.runAllTimers();
  vi.useRealTimers();
  expect(invalidate.mock.calls.map(([filters]) => filters?.queryKey)).toEqual([['jobs'], ['job', 'j']]);
});
