import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';

export type ServiceStatus = Schemas['ServiceStatus'];
export type SiteStatus = Schemas['SiteStatus'];

/** A time in which a service was not ready (still on without `ended_at`), or the moment of a new process. */
export interface Incident {
  service: string;
  kind: 'unready' | 'down' | 'restarted';
  began_at: string;
  ended_at: string | null;
  duration_s: number | null;
  message: string;
}
type Overview = Schemas['Overview'] & { incidents: Incident[]; measured_at: string | null };

/** Read once; from then on the live channel brings the figures of each measurement, and says when a service changes. */
export const useOverview = () =>
  useQuery({
    queryKey: ['overview'],
    queryFn: () => unwrap(api.GET('/api/v1/monitoring/overview')) as Promise<Overview>,
  });
