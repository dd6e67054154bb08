import FileDownloadOutlined from '@mui/icons-material/FileDownloadOutlined';
import Button from '@mui/material/Button';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { Confirmation } from '@/shared/ui/Confirmation';
import { ErrorNote } from '@/shared/ui/ErrorNote';

import { type Job, type JobAction, useDownloadAll, useJobAction } from '@/features/jobs/api/queries';
import { isUnderWay } from '@/features/jobs/api/states';

export function JobActions({ job }: { job: Job }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const action = useJobAction(job.id);
  const download = useDownloadAll(job.id);
  const [asked, setAsked] = useState<'cancel' | 'delete' | null>(null);

  const run = (name: JobAction) =>
    action.mutate(name, {
      onSuccess: () => {
        setAsked(null);
        if (name === 'delete') void navigate('/jobs');
      },
    });

  return (
    <>
      {job.runs.some((item) => item.results > 0) && (
        <Button
          variant="outlined"
          startIcon={<FileDownloadOutlined />}
          loading={download.isPending}
          onClick={() => download.mutate()}
        >
          {t('job.downloadAll')}
        </Button>
      )}
      {job.runs.some((item) => item.status === 'failed') && (
        <Button variant="contained" loading={action.isPending} onClick={() => run('retry')}>
          {t('job.retry')}
        </Button>
      )}
      <Button color="error" variant="outlined" onClick={() => setAsked(isUnderWay(job) ? 'cancel' : 'delete')}>
        {t(isUnderWay(job) ? 'job.cancel' : 'job.delete')}
      </Button>
      {action.error && asked === null && <ErrorNote error={action.error} />}
      {download.error && <ErrorNote error={download.error} />}
      {asked !== null && (
        <Confirmation
          title={t(`job.${asked}Ask`)}
          means={t(`job.${asked}Means`)}
          yes={t(`job.${asked}`)}
          error={action.error}
          pending={action.isPending}
          onNo={() => setAsked(null)}
          onYes={() => run(asked)}
        />
      )}
    </>
  );
}
