import { ThemeProvider } from '@mui/material/styles';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { createMemoryRouter, type RouteObject, RouterProvider } from 'react-router';
import { expect } from 'vitest';

import { makeQueryClient } from '@/shared/api/queryClient';
import { acceptGrant } from '@/shared/api/tokens';
import { theme } from '@/shared/theme/theme';

export const grant = (number: number) => ({
  access_token: `access-${number}`,
  refresh_token: `refresh-${number}`,
  token_type: 'bearer',
  expires_in: 600,
});

/** The pages of `routes`, at `path`, for somebody who is logged in. */
export function renderRoutes(routes: RouteObject[], path: string) {
  acceptGrant(grant(1));
  const router = createMemoryRouter(routes, { initialEntries: [path] });
  const client = makeQueryClient(false);
  const view = render(
    <ThemeProvider theme={theme}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ThemeProvider>,
  );
  return { ...view, router, client, user: userEvent.setup() };
}

/** What axe finds without a layout engine; contrasts are looked at in a real browser. */
export async function expectAccessible(container: Element): Promise<void> {
  const rules = { region: { enabled: false }, 'color-contrast': { enabled: false } };
  const { violations } = await axe.run(container, { rules });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
}
