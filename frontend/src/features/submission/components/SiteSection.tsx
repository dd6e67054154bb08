import Alert from '@mui/material/Alert';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Site } from '@/shared/catalogue/queries';
import { SiteFacts } from '@/shared/catalogue/SiteFacts';
import { nameCountry } from '@/shared/format/countries';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

interface Props {
  site: Site;
  /** The data may not go there. */
  isOutside: boolean;
  children: ReactNode;
}

/** A site with its panels, and what one should know before one chooses it. */
export function SiteSection({ site, isOutside, children }: Props) {
  const { t, i18n } = useTranslation();
  return (
    <Section title={site.name} aside={<StatusMark status={site.health_status} />}>
      {isOutside && (
        <Alert severity="warning" sx={{ mb: 1 }}>
          {site.country === ''
            ? t('residency.unknown')
            : t('residency.outside', { country: nameCountry(site.country, i18n.language) })}
        </Alert>
      )}
      {!site.is_available && (
        <Alert severity="info" sx={{ mb: 1 }}>
          {t('newJob.siteAway')}
        </Alert>
      )}
      <SiteFacts site={site} />
      {children}
    </Section>
  );
}
