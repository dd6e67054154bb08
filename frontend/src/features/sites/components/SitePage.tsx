import Button from '@mui/material/Button';
import { useTranslation } from 'react-i18next';
import { useParams } from 'react-router';

import { mayCurate, mayOperate, useAccount } from '@/shared/api/account';
import { type Site, usePanels } from '@/shared/catalogue/queries';
import { nameCountry } from '@/shared/format/countries';
import { formatCount, formatMoment } from '@/shared/format/units';
import { EmptyNote } from '@/shared/ui/EmptyNote';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageError } from '@/shared/ui/PageError';
import { PageHead } from '@/shared/ui/PageHead';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import { useCheckNow, useSite } from '@/features/sites/api/queries';

import { CapabilitySection } from './CapabilitySection';
import { CredentialSection } from './CredentialSection';
import { HealthHistory } from './HealthHistory';
import { PanelTable } from './PanelTable';
import { formatAnswerTime } from './SiteCard';

export function SitePage() {
  const { siteId = '' } = useParams();
  const site = useSite(siteId);
  if (site.error) return <PageError error={site.error} onRetry={site.refetch} />;
  return site.data ? <SiteDetails site={site.data} /> : <Loading />;
}

function SiteDetails({ site }: { site: Site }) {
  const { t, i18n } = useTranslation();
  const account = useAccount();
  const panels = usePanels();
  const check = useCheckNow(site.id, mayOperate(account.data) || mayCurate(account.data));
  const own = panels.data?.filter((panel) => panel.service_id === site.id) ?? [];
  const range = [site.min_samples, site.max_samples].map((limit) =>
    limit === null ? '…' : formatCount(limit, i18n.language),
  );
  return (
    <>
      <PageHead
        title={site.name}
        lead={[site.location, nameCountry(site.country, i18n.language)].filter(Boolean).join(' · ')}
        actions={
          <Button variant="outlined" loading={check.isPending} onClick={() => check.mutate()}>
            {t('sites.checkNow')}
          </Button>
        }
      />
      {check.error && <ErrorNote error={check.error} />}
      <Section title={t('sites.health')} aside={<StatusMark status={site.health_status} />}>
        {site.error_message && <p lang="en">{site.error_message}</p>}
        <Readouts least="9rem">
          <Readout label={t('sites.protocol')}>{t(`sites.api.${site.api_type}`)}</Readout>
          <Readout label={t('sites.answersIn')}>{formatAnswerTime(site, i18n.language)}</Readout>
          <Readout label={t('sites.lastCheck')}>
            {site.last_health_check ? formatMoment(site.last_health_check, i18n.language) : '–'}
          </Readout>
          <Readout label={t('sites.sampleLimits')}>{`${range[0]} – ${range[1]}`}</Readout>
          <Readout label={t('sites.sizeLimit')}>
            {site.max_file_size_mb === null ? '–' : `${formatCount(site.max_file_size_mb, i18n.language)} MiB`}
          </Readout>
        </Readouts>
        <HealthHistory siteId={site.id} />
      </Section>
      <CapabilitySection site={site} />
      {site.requires_auth && <CredentialSection site={site} />}
      <Section title={t('sites.panels')} flush={own.length > 0}>
        {own.length > 0 ? <PanelTable panels={own} /> : <EmptyNote title={t('sites.noPanels')} />}
      </Section>
    </>
  );
}
