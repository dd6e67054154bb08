import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { type QuotaProblem, unwrap } from '@/shared/api/problem';

export type Quotas = Schemas['QuotasView'];
export type QuotaName = QuotaProblem['name'];
export type Wanted = Record<QuotaName, number>;

export const NAMES: QuotaName[] = ['running_runs', 'jobs_per_month', 'input_bytes_per_month'];
export const SUBJECTS = ['person', 'organization'] as const;

/** What others of the organisation use of it is told by no event, so it is asked for each time it is shown. */
export const useQuotas = () =>
  useQuery({ queryKey: ['quotas'], queryFn: () => unwrap(api.GET('/api/v1/jobs/quota')), staleTime: 0 });

/** The first quota that has no room for what is wanted, as the platform would tell it. */
export function findShortage(quotas: Quotas, wanted: Wanted): QuotaProblem | null {
  for (const subject of ['organization', 'person'] as const)
    for (const name of NAMES) {
      const { used, most } = quotas[subject][name];
      if (most === null || used + wanted[name] <= most) continue;
      const frees_at = name === 'running_runs' || wanted[name] > most ? null : quotas.month_ends_at;
      return { name, subject, most, used, wanted: wanted[name], frees_at };
    }
  return null;
}
