import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { useCatalogueNames } from '@/shared/catalogue/queries';
import { formatMoment } from '@/shared/format/units';
import { DensityStrip } from '@/shared/ui/DensityStrip';
import { TextLink } from '@/shared/ui/links';
import { ListCard } from '@/shared/ui/ListCard';
import { StatusMark } from '@/shared/ui/StatusMark';

import type { Job } from '@/features/jobs/api/queries';

import { jobTone } from './tones';

export function JobCard({ job }: { job: Job }) {
  const { t, i18n } = useTranslation();
  const { nameSite } = useCatalogueNames();
  const sites = [...new Set(job.runs.map((run) => nameSite(run.service_id)))];
  return (
    <ListCard columns="minmax(0, 1fr) 14rem 9rem">
      <Box sx={{ minWidth: 0 }}>
        <Typography variant="h3" component="h2" sx={{ overflowWrap: 'anywhere' }}>
          <TextLink to={`/jobs/${job.id}`} color="inherit">
            {job.name}
          </TextLink>
        </Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {formatMoment(job.created_at, i18n.language)} · {sites.join(', ')}
        </Typography>
      </Box>
      <DensityStrip
        progress={job.progress}
        tone={jobTone(job.status)}
        label={t('jobs.progressOf', { name: job.name })}
      />
      <Box sx={{ justifySelf: { md: 'end' } }}>
        <StatusMark status={job.status} />
      </Box>
    </ListCard>
  );
}
