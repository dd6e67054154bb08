import Box from '@mui/material/Box';
import Card from '@mui/material/Card';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import type { Site } from '@/shared/catalogue/queries';
import { nameCountry } from '@/shared/format/countries';
import { formatCount, formatMoment } from '@/shared/format/units';
import { TextLink } from '@/shared/ui/links';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { StatusMark } from '@/shared/ui/StatusMark';

export function SiteCard({ site }: { site: Site }) {
  const { t, i18n } = useTranslation();
  return (
    <Card component="article" sx={{ p: 2.5, height: '100%', display: 'flex', flexDirection: 'column', gap: 2 }}>
      <Box sx={{ display: 'flex', gap: 2, justifyContent: 'space-between', alignItems: 'baseline' }}>
        <Typography variant="h2" sx={{ minWidth: 0, overflowWrap: 'anywhere' }}>
          <TextLink to={`/sites/${site.id}`} color="inherit">
            {site.name}
          </TextLink>
        </Typography>
        <StatusMark status={site.health_status} />
      </Box>
      <Typography variant="body2" sx={{ color: 'text.secondary', mt: -1.5 }}>
        {[site.location, nameCountry(site.country, i18n.language)].filter(Boolean).join(' · ')}
      </Typography>
      {site.error_message && (
        <Typography variant="body2" color={site.is_available ? 'warning' : 'error'} lang="en">
          {site.error_message}
        </Typography>
      )}
      <Box sx={{ mt: 'auto' }}>
        <Readouts least="6rem">
          <Readout label={t('sites.panels')}>{formatCount(site.panels_count, i18n.language)}</Readout>
          <Readout label={t('sites.answersIn')}>{formatAnswerTime(site, i18n.language)}</Readout>
          <Readout label={t('sites.protocol')}>{t(`sites.api.${site.api_type}`)}</Readout>
        </Readouts>
      </Box>
      {site.last_health_check && (
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('sites.checkedAt', { moment: formatMoment(site.last_health_check, i18n.language) })}
        </Typography>
      )}
    </Card>
  );
}

/** How long its last probe took; a site that does not answer has none. */
export const formatAnswerTime = ({ is_available, response_time_ms }: Site, language: string): string =>
  is_available && response_time_ms !== null ? `${formatCount(Math.round(response_time_ms), language)} ms` : '–';
