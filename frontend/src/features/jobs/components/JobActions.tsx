import Button from '@mui/material/Button';
import Dialog from '@mui/material/Dialog';
import DialogActions from '@mui/material/DialogActions';
import DialogContent from '@mui/material/DialogContent';
import DialogContentText from '@mui/material/DialogContentText';
import DialogTitle from '@mui/material/DialogTitle';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { ErrorNote } from '@/shared/ui/ErrorNote';

import { type Job, type JobAction, useJobAction } from '@/features/jobs/api/queries';
import { isUnderWay } from '@/features/jobs/api/states';

export function JobActions({ job }: { job: Job }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const action = useJobAction(job.id);
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
      {job.runs.some((item) => item.status === 'failed') && (
        <Button variant="contained" loading={action.isPending} onClick={() => run('retry')}>
          {t('job.retry')}
        </Button>
      )}
      <Button color="error" variant="outlined" onClick={() => setAsked(isUnderWay(job) ? 'cancel' : 'delete')}>
        {t(isUnderWay(job) ? 'job.cancel' : 'job.delete')}
      </Button>
      {action.error && asked === null && <ErrorNote error={action.error} />}
      {asked !== null && (
        <Confirmation
          asked={asked}
          error={action.error}
          pending={action.isPending}
          onNo={() => setAsked(null)}
          onYes={() => run(asked)}
        />
      )}
    </>
  );
}

interface ConfirmationProps {
  asked: 'cancel' | 'delete';
  error: unknown;
  pending: boolean;
  onNo: () => void;
  onYes: () => void;
}

function Confirmation({ asked, error, pending, onNo, onYes }: ConfirmationProps) {
  const { t } = useTranslation();
  const title = useId();
  return (
    <Dialog open onClose={onNo} aria-labelledby={title}>
      <DialogTitle id={title}>{t(`job.${asked}Ask`)}</DialogTitle>
      <DialogContent>
        <DialogContentText>{t(`job.${asked}Means`)}</DialogContentText>
        {Boolean(error) && <ErrorNote error={error} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onNo} autoFocus>
          {t('job.keep')}
        </Button>
        <Button color="error" variant="contained" loading={pending} onClick={onYes}>
          {t(`job.${asked}`)}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
