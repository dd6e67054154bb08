import { expect, test } from 'vitest';

import { makeUuid } from './ids';
import { formatBytes, formatDuration } from './units';

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1500, '1.5 kB'],
  [524_288_000, '524.3 MB'],
])('%i bytes are written as %s', (bytes, text) => expect(formatBytes(bytes, 'en')).toBe(text));

test.each([
  [0, '0 sec'],
  [59, '59 sec'],
  [125, '2 min 5 sec'],
  [90_000, '1 day 1 hr'],
])('%i seconds are written as %s', (seconds, text) => expect(formatDuration(seconds, 'en')).toBe(text));

test('ids are random UUIDs', () => {
  expect(makeUuid()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(makeUuid()).not.toBe(makeUuid());
});
