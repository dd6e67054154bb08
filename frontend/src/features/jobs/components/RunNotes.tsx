import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatClock, formatMoment } from '@/shared/format/units';

import type { Run } from '@/features/jobs/api/queries';
import { hasEnded } from '@/features/jobs/api/states';

import { AlternatesNote } from './AlternatesNote';

/** What is to be said of a run at this moment. */
export function RunNotes({ jobId, run }: { jobId: string; run: Run }) {
  const { t, i18n } = useTranslation();
  const ended = hasEnded(run);
  const facts = [
    run.next_try_at !== null && t('run.nextTry', { at: formatClock(run.next_try_at, i18n.language) }),
    run.queue_position !== null && !ended && t('run.queuePosition', { position: run.queue_position }),
    run.estimated_finish_at !== null &&
      !ended &&
      t('run.estimate', { moment: formatMoment(run.estimated_finish_at, i18n.language) }),
  ].filter(Boolean);
  return (
    <Box sx={{ mb: 2, display: 'grid', gap: 1 }}>
      <Typography aria-live="polite" lang="en" sx={{ overflowWrap: 'anywhere' }}>
        {run.message}
      </Typography>
      {facts.map((fact) => (
        <Typography key={String(fact)} sx={{ color: 'text.secondary' }}>
          {fact}
        </Typography>
      ))}
      {run.is_slow && !ended && (
        <Alert severity="warning">
          <span lang="en">{run.pace}</span>
        </Alert>
      )}
      {run.cancel_requested_at !== null && run.move_requested_at === null && !ended && (
        <Alert severity="info">
          {t('run.cancelling', { at: formatClock(run.cancel_requested_at, i18n.language) })}
        </Alert>
      )}
      {!ended && run.alternates.length > 0 && <AlternatesNote jobId={jobId} run={run} />}
    </Box>
  );
}
