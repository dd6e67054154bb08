import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';

export type ServiceStatus = Schemas['ServiceStatus'];
export type SiteStatus = Schemas['SiteStatus'];

export type Incident = Schemas['IncidentView'];

/** Read once; from then on the live channel brings the figures of each measurement, and says when a service changes. */
export const useOverview = () =>
  useQuery({
    queryKey: ['overview'],
    queryFn: () => unwrap(api.GET('/api/v1/monitoring/overview')),
  });
