import { useTranslation } from 'react-i18next';

import { formatDuration } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import { useOverview } from '@/features/operations/api/queries';

import { ServiceTable } from './ServiceTable';
import { SiteTable } from './SiteTable';

export function OperationsPage() {
  const { t, i18n } = useTranslation();
  const { data, error, isPending, refetch } = useOverview();
  return (
    <>
      <PageHead title={t('operations.title')} lead={t('operations.lead')} />
      {error && <ErrorNote error={error} onRetry={refetch} />}
      {isPending && <Loading rows={5} />}
      {data && (
        <>
          <Section title={t('operations.platform')} aside={<StatusMark status={data.status} />}>
            <Readouts>
              <Readout label={t('operations.servicesUp')}>{`${data.services_up} / ${data.services_total}`}</Readout>
              <Readout
                label={t('operations.sitesUp')}
              >{`${data.sites.available ?? '–'} / ${data.sites.total ?? '–'}`}</Readout>
              <Readout label={t('operations.outbox')}>{data.outbox.depth}</Readout>
              <Readout label={t('operations.outboxAge')}>
                {formatDuration(data.outbox.oldest_age_s, i18n.language)}
              </Readout>
            </Readouts>
          </Section>
          <Section title={t('operations.services')} flush>
            <ServiceTable services={data.services} />
          </Section>
          <Section title={t('operations.sites')} flush={data.sites.items.length > 0}>
            {data.sites.error !== null && <p lang="en">{data.sites.error}</p>}
            {data.sites.items.length > 0 && <SiteTable sites={data.sites.items} />}
          </Section>
        </>
      )}
    </>
  );
}
