import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { useCatalogueNames } from '@/shared/catalogue/queries';
import { formatPercent } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { DensityStrip } from '@/shared/ui/DensityStrip';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import type { Decision, Result, Run, RunSummary, StatusUpdate } from '@/features/jobs/api/queries';
import { findPhases } from '@/features/jobs/api/states';

import { AccuracyChart } from './AccuracyChart';
import { CoverageNote } from './CoverageNote';
import { DecisionList } from './DecisionList';
import { ResultList } from './ResultList';
import { RunErrorNote } from './RunErrorNote';
import { RunNotes } from './RunNotes';
import { Timeline } from './Timeline';
import { jobTone } from './tones';

interface Props {
  jobId: string;
  run: Run;
  decisions: Decision[];
  updates: StatusUpdate[];
  results: Result[];
  summary: RunSummary | null;
}

export function RunSection({ jobId, run, decisions, updates, results, summary }: Props) {
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
      <RunNotes jobId={jobId} run={run} />
      {run.error && <RunErrorNote error={run.error} />}
      <Box
        sx={{
          display: 'grid',
          gap: 3,
          gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 1fr) minmax(0, 1fr)' },
        }}
      >
        <Box sx={{ minWidth: 0 }}>
          <Timeline phases={findPhases(updates, run.id)} externalId={run.external_job_id} />
          {decisions.length > 0 && <DecisionList decisions={decisions} />}
        </Box>
        {(summary !== null || results.length > 0) && (
          // One below the other, what people came for stands first.
          <Box sx={{ minWidth: 0, order: { xs: -1, lg: 0 } }}>
            {summary && <CoverageNote summary={summary} />}
            {summary && <AccuracyChart summary={summary} />}
            {results.length > 0 && <ResultList results={results} />}
          </Box>
        )}
      </Box>
    </Section>
  );
}
