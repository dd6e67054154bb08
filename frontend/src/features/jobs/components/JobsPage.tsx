import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import { useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { EmptyNote } from '@/shared/ui/EmptyNote';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { ButtonLink } from '@/shared/ui/links';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';

import { type JobStatus, useJobs } from '@/features/jobs/api/queries';

import { JobCard } from './JobCard';

const STATUSES: JobStatus[] = ['queued', 'running', 'completed', 'partly_completed', 'failed', 'cancelled'];

export function JobsPage() {
  const { t } = useTranslation();
  const [status, setStatus] = useState<JobStatus | ''>('');
  const [text, setText] = useState('');
  const q = useDeferredValue(text.trim());
  const jobs = useJobs({ status: status === '' ? null : status, q });
  const items = jobs.data?.pages.flatMap((page) => page.items) ?? [];
  const narrowed = status !== '' || q !== '';
  const newJob = (
    <ButtonLink to="/jobs/new" variant="contained">
      {t('nav.newJob')}
    </ButtonLink>
  );
  return (
    <>
      <PageHead title={t('jobs.title')} lead={t('jobs.lead')} actions={newJob} />
      {(items.length > 0 || narrowed) && (
        <Stack direction={{ xs: 'column', sm: 'row' }} spacing={2} sx={{ mb: 3 }}>
          <TextField
            type="search"
            label={t('jobs.search')}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <TextField
            select
            label={t('jobs.status')}
            value={status}
            onChange={(event) => setStatus(event.target.value as JobStatus | '')}
            slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
            sx={{ maxWidth: { sm: 240 } }}
          >
            <MenuItem value="">{t('jobs.all')}</MenuItem>
            {STATUSES.map((name) => (
              <MenuItem key={name} value={name}>
                {t(`status.${name}`)}
              </MenuItem>
            ))}
          </TextField>
        </Stack>
      )}
      {jobs.error && <ErrorNote error={jobs.error} onRetry={jobs.refetch} />}
      {jobs.isPending && <Loading />}
      {jobs.data && items.length === 0 && (
        <EmptyNote title={t(narrowed ? 'jobs.noMatch' : 'jobs.none')}>
          {narrowed ? t('jobs.noMatchHint') : t('jobs.noneHint')}
        </EmptyNote>
      )}
      <Stack component="ul" spacing={1.5} sx={{ m: 0, p: 0, listStyle: 'none' }}>
        {items.map((job) => (
          <li key={job.id}>
            <JobCard job={job} />
          </li>
        ))}
      </Stack>
      {jobs.hasNextPage && (
        <Button sx={{ mt: 2 }} loading={jobs.isFetchingNextPage} onClick={() => void jobs.fetchNextPage()}>
          {t('common.more')}
        </Button>
      )}
    </>
  );
}
