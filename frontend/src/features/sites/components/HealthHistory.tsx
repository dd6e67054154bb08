import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatMoment } from '@/shared/format/units';
import { colours } from '@/shared/theme/theme';

import { type Probe, useProbes } from '@/features/sites/api/queries';

const COLOURS: Record<Probe['health_status'], string> = {
  healthy: colours.pine,
  degraded: colours.amber,
  unhealthy: colours.bad,
  unknown: colours.rule,
};

/** The latest probes as a strip, the newest at the right; failed ones are lower too, not only red. */
export function HealthHistory({ siteId }: { siteId: string }) {
  const { t, i18n } = useTranslation();
  const probes = useProbes(siteId).data ?? [];
  if (probes.length === 0) return null;
  const good = probes.filter((probe) => probe.health_status === 'healthy').length;
  return (
    <Box component="figure" sx={{ m: 0, mt: 3 }}>
      <Box aria-hidden="true" sx={{ display: 'flex', alignItems: 'flex-end', gap: '3px', height: 28 }}>
        {[...probes].reverse().map((probe) => (
          <Box
            key={probe.id}
            title={`${formatMoment(probe.checked_at, i18n.language)}: ${t(`status.${probe.health_status}`)}`}
            sx={{
              flex: '0 1 8px',
              height: probe.health_status === 'healthy' ? '100%' : '45%',
              bgcolor: COLOURS[probe.health_status],
            }}
          />
        ))}
      </Box>
      <Typography component="figcaption" variant="caption" sx={{ color: 'text.secondary' }}>
        {t('sites.history', { good, count: probes.length })}
      </Typography>
    </Box>
  );
}
