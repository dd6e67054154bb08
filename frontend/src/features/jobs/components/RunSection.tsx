import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { useCatalogueNames } from '@/shared/catalogue/queries';
import { formatClock, formatPercent } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { DensityStrip } from '@/shared/ui/DensityStrip';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import type { Result, Run, RunSummary, StatusUpdate } from '@/features/jobs/api/queries';
import { findPhases, hasEnded } from '@/features/jobs/api/states';

import { AccuracyChart } from './AccuracyChart';
import { ResultList } from './ResultList';
import { RunErrorNote } from './RunErrorNote';
import { Timeline } from './Timeline';
import { jobTone } from './tones';

interface Props {
  run: Run;
  updates: StatusUpdate[];
  results: Result[];
  summary: RunSummary | null;
}

export function RunSection({ run, updates, results, summary }: Props) {
  const { t, i18n } = useTranslation();
  const { nameSite, namePanel } = useCatalogueNames();
  const title = `${nameSite(run.service_id)} · ${namePanel(run.panel_id)}`;
  // A running site that has told nothing yet is not at 0 %.
  const silent = run.status === 'running' && run.progress === 0;
  return (
    <Section title={title} aside={<StatusMark status={run.status} />}>
      <Box sx={{ display: 'flex', alignItems: 'center', gap: 2, mb: 1 }}>
        <DensityStrip
          progress={silent ? null : run.progress}
          tone={jobTone(run.status)}
          label={t('jobs.progressOf', { name: title })}
          height={30}
        />
        <Typography sx={{ fontFamily: MONO, minWidth: '3.5rem', textAlign: 'right' }}>
          {silent ? '…' : formatPercent(run.progress / 100, i18n.language)}
        </Typography>
      </Box>
      <Typography aria-live="polite" lang="en" sx={{ mb: 2 }}>
        {run.message}
      </Typography>
      {run.next_try_at !== null && (
        <Typography sx={{ mb: 2 }}>{t('run.nextTry', { at: formatClock(run.next_try_at, i18n.language) })}</Typography>
      )}
      {run.queue_position !== null && !hasEnded(run) && (
        <Typography sx={{ mb: 2 }}>{t('run.queuePosition', { position: run.queue_position })}</Typography>
      )}
      {run.error && <RunErrorNote error={run.error} />}
      <Box
        sx={{
          display: 'grid',
          gap: 3,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
        }}
      >
        <Timeline phases={findPhases(updates, run.id)} externalId={run.external_job_id} />
        {(summary !== null || results.length > 0) && (
          // One below the other, what people came for stands first.
          <Box sx={{ minWidth: 0, order: { xs: -1, lg: 0 } }}>
            {summary && <AccuracyChart summary={summary} />}
            {results.length > 0 && <ResultList results={results} />}
          </Box>
        )}
      </Box>
    </Section>
  );
}
