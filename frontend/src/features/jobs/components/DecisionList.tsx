import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatMoment } from '@/shared/format/units';
import { MONO } from '@/shared/theme/theme';
import { StatusMark } from '@/shared/ui/StatusMark';

import type { Decision } from '@/features/jobs/api/queries';

/** Each time something of the run was about to leave: whether it might, and why. */
export function DecisionList({ decisions }: { decisions: Decision[] }) {
  const { t, i18n } = useTranslation();
  return (
    <Box sx={{ mt: 3 }}>
      <Typography variant="h3" sx={{ mb: 1 }}>
        {t('run.decisions')}
      </Typography>
      <Box component="ul" aria-label={t('run.decisions')} sx={{ m: 0, p: 0, listStyle: 'none' }}>
        {decisions.map((decision) => (
          <Box
            component="li"
            key={decision.decided_at + decision.service_id}
            sx={{ py: 1, borderTop: 1, borderColor: 'divider' }}
          >
            <Box sx={{ display: 'flex', flexWrap: 'wrap', justifyContent: 'space-between', columnGap: 2 }}>
              <StatusMark status={decision.is_allowed ? 'allowed' : 'refused'} />
              <Box
                component="time"
                dateTime={decision.decided_at}
                sx={{ fontFamily: MONO, fontSize: '0.8125rem', color: 'text.secondary' }}
              >
                {formatMoment(decision.decided_at, i18n.language)}
              </Box>
            </Box>
            <Typography lang="en" variant="body2" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
              {decision.reason}
            </Typography>
          </Box>
        ))}
      </Box>
    </Box>
  );
}
