import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatClock, formatDuration } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import { useOverview } from '@/features/operations/api/queries';

import { IncidentTable } from './IncidentTable';
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
          <Section title={t('operations.services')} aside={<MeasuredAt moment={data.measured_at} />} flush>
            <ServiceTable services={data.services} />
          </Section>
          {data.incidents.length > 0 && (
            <Section title={t('operations.incidentsTitle')} flush>
              <IncidentTable incidents={data.incidents} />
            </Section>
          )}
          <Section title={t('operations.sites')} flush={data.sites.items.length > 0}>
            {data.sites.error !== null && <p lang="en">{data.sites.error}</p>}
            {data.sites.items.length > 0 && <SiteTable sites={data.sites.items} />}
          </Section>
        </>
      )}
    </>
  );
}

/** Whether the figures are of now: a monitoring that is away measures nothing, and tells nothing. */
function MeasuredAt({ moment }: { moment: string | null }) {
  const { t, i18n } = useTranslation();
  if (moment === null) return null;
  return (
    <Typography variant="caption">
      {t('operations.measuredAt', { moment: formatClock(moment, i18n.language) })}
    </Typography>
  );
}
