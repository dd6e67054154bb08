import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';

export type Probe = Schemas['HealthItem'];

const HISTORY = 48;

export const useSite = (id: string) =>
  useQuery({
    queryKey: ['site', id],
    queryFn: () => unwrap(api.GET('/api/v1/services/{service_id}', { params: { path: { service_id: id } } })),
  });

export const useProbes = (id: string) =>
  useQuery({
    queryKey: ['site', id, 'probes'],
    queryFn: () =>
      unwrap(
        api.GET('/api/v1/services/{service_id}/health', {
          params: { path: { service_id: id }, query: { limit: HISTORY } },
        }),
      ),
    select: (page) => page.items,
  });

export function useCheckNow(id: string, force: boolean) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () =>
      unwrap(
        api.POST('/api/v1/services/{service_id}/health', { params: { path: { service_id: id }, query: { force } } }),
      ),
    onSuccess: () => Promise.all(['sites', 'site'].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
}

/** Since when there is a token of one's own for each site; tokens themselves never come back. */
export const useCredentials = () =>
  useQuery({
    queryKey: ['credentials'],
    queryFn: () => unwrap(api.GET('/api/v1/users/me/site-credentials', { params: { query: { limit: 200 } } })),
    select: (page) => new Map(page.items.map((item) => [item.service_id, item.set_at])),
  });

export function useSetCredential(siteId: string) {
  const client = useQueryClient();
  const params = { path: { service_id: siteId } };
  return useMutation({
    mutationFn: (credential: string | null) =>
      credential === null
        ? unwrap(api.DELETE('/api/v1/users/me/site-credentials/{service_id}', { params }))
        : unwrap(api.PUT('/api/v1/users/me/site-credentials/{service_id}', { params, body: { credential } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['credentials'] }),
  });
}
