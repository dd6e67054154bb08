import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';

export type ServiceStatus = Schemas['ServiceStatus'];
export type SiteStatus = Schemas['SiteStatus'];

/**
 * Memory, latencies and uptimes are gauges: they change by themselves, and no event tells of them. While this page is
 * looked at they are read again as often as monitoring measures.
 */
const GAUGES_EVERY_MS = 10_000;

export const useOverview = () =>
  useQuery({
    queryKey: ['overview'],
    queryFn: () => unwrap(api.GET('/api/v1/monitoring/overview')),
    refetchInterval: GAUGES_EVERY_MS,
  });
