import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { collectPages } from '@/shared/api/pages';
import { unwrap } from '@/shared/api/problem';

import { untilNextTry } from './states';

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
const pathAndPage = (id: string, cursor: string | null) => ({
  params: { path: { job_id: id }, query: { limit: 200, cursor } },
});

/** A try that changes nothing is told to nobody: the job is looked at again shortly after the time it said. */
export const useJob = (id: string) =>
  useQuery({
    queryKey: ['job', id],
    queryFn: () => unwrap(api.GET('/api/v1/jobs/{job_id}', path(id))),
    refetchInterval: ({ state }) => untilNextTry(state.data) ?? false,
  });

export const useJobHistory = (id: string) =>
  useQuery({
    queryKey: ['job', id, 'events'],
    queryFn: () => collectPages((cursor) => unwrap(api.GET('/api/v1/jobs/{job_id}/events', pathAndPage(id, cursor)))),
  });

export const useResults = (id: string, enabled: boolean) =>
  useQuery({
    queryKey: ['job', id, 'results'],
    queryFn: () => collectPages((cursor) => unwrap(api.GET('/api/v1/jobs/{job_id}/results', pathAndPage(id, cursor)))),
    enabled,
  });

export type RunSummary = Schemas['RunSummaryView'];

/** Of the runs whose sites told the quality of their results. */
export const useSummary = (id: string, enabled: boolean) =>
  useQuery({
    queryKey: ['job', id, 'summary'],
    queryFn: () => unwrap(api.GET('/api/v1/jobs/{job_id}/results/summary', path(id))),
    select: (summary) => summary.runs,
    enabled,
  });

export type Decision = Schemas['ResidencyDecisionView'];

/** Of a job that says where its data may go: each time something of it was about to leave. */
export const useDecisions = (id: string, enabled: boolean) =>
  useQuery({
    queryKey: ['job', id, 'decisions'],
    queryFn: () =>
      collectPages((cursor) => unwrap(api.GET('/api/v1/jobs/{job_id}/residency-decisions', pathAndPage(id, cursor)))),
    enabled,
  });

/** The browser itself downloads, by a link that needs no token: an archive may be larger than its memory. */
export const useDownloadAll = (id: string) =>
  useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/jobs/{job_id}/results/archive-link', path(id))),
    onSuccess: ({ url }) => window.location.assign(url),
  });

/** Let a run go on at its next alternate. */
export function useMove(jobId: string, runId: string) {
  const client = useQueryClient();
  const params = { path: { job_id: jobId, run_id: runId } };
  return useMutation({
    mutationFn: () => unwrap(api.POST('/api/v1/jobs/{job_id}/runs/{run_id}/move', { params })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['job', jobId] }),
  });
}

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
