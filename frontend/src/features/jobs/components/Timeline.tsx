import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import type { Phase } from '@/features/jobs/api/states';
import { formatClock, formatMoment } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { type Status, StatusMark } from '@/shared/ui/StatusMark';

interface Props {
  phases: Phase[];
  externalId: string | null;
}

/** What has happened so far, phase by phase; only the latest has the colour of its state. */
export function Timeline({ phases, externalId }: Props) {
  const { t } = useTranslation();
  return (
    <Box sx={{ minWidth: 0 }}>
      <Typography variant="h3" sx={{ mb: 1.5 }}>
        {t('run.timeline')}
      </Typography>
      <Box component="ol" sx={{ m: 0, ml: 0.5, p: 0, listStyle: 'none', borderLeft: 1, borderColor: 'divider' }}>
        {phases.map((phase, index) => (
          <PhaseItem key={phase.since + phase.status} phase={phase} latest={index === phases.length - 1} />
        ))}
      </Box>
      {externalId !== null && (
        <Typography variant="caption" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
          {t('run.externalId')}{' '}
          <Box component="span" sx={{ fontFamily: MONO }}>
            {externalId}
          </Box>
        </Typography>
      )}
    </Box>
  );
}

function PhaseItem({ phase, latest }: { phase: Phase; latest: boolean }) {
  const { t } = useTranslation();
  const status = phase.status as Status;
  return (
    <Box
      component="li"
      sx={{
        pl: 2,
        pb: 2,
        position: 'relative',
        '&::before': {
          content: '""',
          position: 'absolute',
          left: -4,
          top: 8,
          width: 7,
          height: 7,
          borderRadius: '50%',
          bgcolor: latest ? 'primary.main' : 'primary.light',
        },
      }}
    >
      <Box sx={{ display: 'flex', justifyContent: 'space-between', columnGap: 2 }}>
        {latest ? <StatusMark status={status} /> : <span>{t(`status.${status}`)}</span>}
        <Clock moment={phase.since} />
      </Box>
      {phase.notes.map((note) => (
        <Box key={note.at + note.message} sx={{ display: 'flex', justifyContent: 'space-between', columnGap: 2 }}>
          <Typography lang="en" variant="body2" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
            {note.message}
          </Typography>
          {note.at !== phase.since && <Clock moment={note.at} />}
        </Box>
      ))}
    </Box>
  );
}

function Clock({ moment }: { moment: string }) {
  const { i18n } = useTranslation();
  return (
    <Box
      component="time"
      dateTime={moment}
      title={formatMoment(moment, i18n.language)}
      sx={{ fontFamily: MONO, fontSize: '0.8125rem', color: 'text.secondary', whiteSpace: 'nowrap' }}
    >
      {formatClock(moment, i18n.language)}
    </Box>
  );
}
