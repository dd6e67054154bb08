import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import * as z from 'zod';

import { api, fetchAuthorized, type Schemas } from '@/shared/api/client';
import { readProblem, unwrap } from '@/shared/api/problem';

export type Job = Schemas['JobView'];
export type Run = Schemas['RunView'];
export type JobStatus = Job['status'];
export type Result = Schemas['ResultRecord'];
export type StatusUpdate = Schemas['StatusUpdateView'];

export interface JobFilter {
  status: JobStatus | null;
  q: string;
}

const PAGE = 25;

export const useJobs = ({ status, q }: JobFilter) =>
  useInfiniteQuery({
    queryKey: ['jobs', status, q],
    queryFn: ({ pageParam }) =>
      unwrap(
        api.GET('/api/v1/jobs', {
          params: { query: { limit: PAGE, cursor: pageParam, status, q: q === '' ? null : q } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: (before) => before,
  });

const path = (id: string) => ({ params: { path: { job_id: id } } });

export const useJob = (id: string) =>
  useQuery({ queryKey: ['job', id], queryFn: () => unwrap(api.GET('/api/v1/jobs/{job_id}', path(id))) });

export const useJobHistory = (id: string) =>
  useQuery({
    queryKey: ['job', id, 'events'],
    queryFn: () => unwrap(api.GET('/api/v1/jobs/{job_id}/events', path(id))),
    select: (list) => list.items,
  });

export const useResults = (id: string, enabled: boolean) =>
  useQuery({
    queryKey: ['job', id, 'results'],
    queryFn: () => unwrap(api.GET('/api/v1/jobs/{job_id}/results', path(id))),
    enabled,
  });

const binSchema = z.object({
  maf_over: z.number(),
  maf_up_to: z.number(),
  mean_r2: z.number().nullable(),
  sites: z.number(),
});
const summarySchema = z.object({
  runs: z.array(z.object({ run_id: z.string(), bins: z.array(binSchema), sites_total: z.number() })),
});
export type RunSummary = z.infer<typeof summarySchema>['runs'][number];

/** Null where there is no summary of the results (yet). */
async function fetchSummary(id: string): Promise<RunSummary[] | null> {
  const url = new URL(`/api/v1/jobs/${id}/results/summary`, window.location.origin);
  const answer = await fetchAuthorized(new Request(url));
  if (answer.status === 404) return null;
  const body: unknown = await answer.json();
  if (!answer.ok) throw readProblem(answer.status, body);
  return summarySchema.parse(body).runs;
}

export const useSummary = (id: string, enabled: boolean) =>
  useQuery({ queryKey: ['job', id, 'summary'], queryFn: () => fetchSummary(id), enabled });

const ACTIONS = {
  cancel: (id: string) => unwrap(api.POST('/api/v1/jobs/{job_id}/cancel', path(id))),
  retry: (id: string) => unwrap(api.POST('/api/v1/jobs/{job_id}/retry', path(id))),
  delete: (id: string) => unwrap(api.DELETE('/api/v1/jobs/{job_id}', path(id))),
};
export type JobAction = keyof typeof ACTIONS;

export function useJobAction(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (action: JobAction) => {
      await ACTIONS[action](id);
    },
    onSuccess: (_, action) => {
      if (action === 'delete') client.removeQueries({ queryKey: ['job', id] });
      else void client.invalidateQueries({ queryKey: ['job', id] });
      return client.invalidateQueries({ queryKey: ['jobs'] });
    },
  });
}
