import { useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import * as z from 'zod';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';
import { makeUuid } from '@/shared/format/ids';

/** A template is filled in before: the job itself says everything. */
export type NewJob = Omit<Schemas['NewJob'], 'template_id'>;

const issueSchema = z.object({
  code: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  count: z.number(),
  fix: z.string(),
});
export type Issue = z.infer<typeof issueSchema>;
export type Quality = Omit<Schemas['QualityRecord'], 'issues'> & { issues: Issue[] };

export const fileQuery = (id: string) => ({
  queryKey: ['file', id],
  queryFn: () => unwrap(api.GET('/api/v1/files/{file_id}', { params: { path: { file_id: id } } })),
});

async function fetchQuality(id: string): Promise<Quality> {
  const report = await unwrap(api.GET('/api/v1/files/{file_id}/qc', { params: { path: { file_id: id } } }));
  return { ...report, issues: z.array(issueSchema).parse(report.issues) };
}

const qualityQuery = (id: string, checked: boolean) => ({
  queryKey: ['file', id, 'qc'],
  queryFn: () => fetchQuality(id),
  enabled: checked,
  staleTime: Infinity,
});

const isChecked = (status: string | undefined): boolean => status === 'ready' || status === 'rejected';

/** A file and its report; the live channel tells when the check is over. */
export function useCheckedFile(id: string) {
  const file = useQuery(fileQuery(id));
  const quality = useQuery(qualityQuery(id, isChecked(file.data?.status)));
  return { file: file.data, quality: quality.data, error: file.error ?? quality.error };
}

/** The reports of all chosen files, as far as they are known. */
export function useQualities(ids: string[]): Quality[] {
  const files = useQueries({ queries: ids.map(fileQuery) });
  const reports = useQueries({
    queries: ids.map((id, index) => qualityQuery(id, isChecked(files[index]?.data?.status))),
  });
  return reports.flatMap((report) => report.data ?? []);
}

const RECENT = 20;

export const useReadyFiles = () =>
  useQuery({
    queryKey: ['files'],
    queryFn: () => unwrap(api.GET('/api/v1/files', { params: { query: { status: 'ready', limit: RECENT } } })),
    select: (page) => page.items,
  });

/** The same wish sent again, after an answer that was lost, carries the same key: it makes one job. */
export function useSubmitJob() {
  const client = useQueryClient();
  const sent = useRef({ body: '', key: '' });
  return useMutation({
    mutationFn: (wish: NewJob) => {
      const body = JSON.stringify(wish);
      if (sent.current.body !== body) sent.current = { body, key: makeUuid() };
      const headers = { 'Idempotency-Key': sent.current.key };
      return unwrap(api.POST('/api/v1/jobs', { body: wish, headers }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  });
}
