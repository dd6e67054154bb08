import CssBaseline from '@mui/material/CssBaseline';
import { ThemeProvider } from '@mui/material/styles';
import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { RouterProvider } from 'react-router';

import { makeQueryClient } from '@/shared/api/queryClient';
import { hasLogin, subscribeLogin } from '@/shared/api/tokens';
import { theme } from '@/shared/theme/theme';

import { makeRouter } from './router';

export function App() {
  const [client] = useState(() => makeQueryClient());
  const [router] = useState(makeRouter);
  const loggedIn = useSyncExternalStore(subscribeLogin, hasLogin);

  // Nothing of one person's is left for the next.
  useEffect(() => {
    if (!loggedIn) client.clear();
    void router.revalidate();
  }, [client, router, loggedIn]);

  return (
    <ThemeProvider theme={theme}>
      <CssBaseline />
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ThemeProvider>
  );
}
