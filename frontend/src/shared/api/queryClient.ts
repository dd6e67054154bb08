import { QueryClient } from '@tanstack/react-query';

import { ProblemError } from './problem';

/** What a client did wrong stays wrong; what failed on the way is tried twice more. */
const shouldRetry = (failures: number, error: unknown): boolean =>
  failures < 2 && !(error instanceof ProblemError && error.status < 500);

// Nothing grows stale by time alone: the live channel says what has changed.
export const makeQueryClient = (retry: boolean = true): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: { staleTime: 60_000, retry: retry ? shouldRetry : false },
      mutations: { retry: false },
    },
  });
