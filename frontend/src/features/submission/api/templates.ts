import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { collectPages } from '@/shared/api/pages';
import { unwrap } from '@/shared/api/problem';

export type Template = Schemas['TemplateView'];
export type NewTemplate = Schemas['NewTemplate'];

const KEY = ['templates'];

const fetchTemplates = () =>
  collectPages((cursor) =>
    unwrap(api.GET('/api/v1/job-templates', { params: { query: { limit: 200, sort: 'name', cursor } } })),
  );

/** One's own, and those that others of the organisation share. */
export const useTemplates = () => useQuery({ queryKey: KEY, queryFn: fetchTemplates });

export const useTemplate = (id: string | null) =>
  useQuery({
    queryKey: [...KEY, id],
    queryFn: () =>
      unwrap(api.GET('/api/v1/job-templates/{template_id}', { params: { path: { template_id: id ?? '' } } })),
    enabled: id !== null,
  });

/** A new one, or (with its id) one of one's own anew. */
export function useSaveTemplate(id: string | null) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewTemplate) =>
      id === null
        ? unwrap(api.POST('/api/v1/job-templates', { body }))
        : unwrap(api.PUT('/api/v1/job-templates/{template_id}', { params: { path: { template_id: id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: KEY }),
  });
}

export function useDeleteTemplate() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(api.DELETE('/api/v1/job-templates/{template_id}', { params: { path: { template_id: id } } })),
    onSuccess: (_, id) => {
      client.removeQueries({ queryKey: [...KEY, id] });
      return client.invalidateQueries({ queryKey: KEY });
    },
  });
}
