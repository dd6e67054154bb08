import '@testing-library/jest-dom/vitest';

import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll } from 'vitest';

import { endLogin } from '@/shared/api/tokens';
import { startTranslation } from '@/shared/i18n';

import { server } from './server';

// What does not come at all is waited for this long (ms); two busy cores are slow.
configure({ asyncUtilTimeout: 6_000 });

beforeAll(async () => {
  server.listen({ onUnhandledRequest: 'error' });
  await startTranslation('en');
});

afterEach(() => {
  cleanup();
  server.resetHandlers();
  endLogin();
  localStorage.clear();
});

afterAll(() => server.close());
