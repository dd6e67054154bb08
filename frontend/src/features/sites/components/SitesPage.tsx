import Box from '@mui/material/Box';
import { useTranslation } from 'react-i18next';

import { usePanels, useSites } from '@/shared/catalogue/queries';
import { EmptyNote } from '@/shared/ui/EmptyNote';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';
import { Section } from '@/shared/ui/Section';

import { PanelTable } from './PanelTable';
import { SiteCard } from './SiteCard';

export function SitesPage() {
  const { t } = useTranslation();
  const sites = useSites();
  const panels = usePanels();
  return (
    <>
      <PageHead title={t('sites.title')} lead={t('sites.lead')} />
      {sites.error && <ErrorNote error={sites.error} onRetry={sites.refetch} />}
      {sites.isPending && <Loading />}
      {sites.data?.length === 0 && <EmptyNote title={t('sites.none')}>{t('sites.noneHint')}</EmptyNote>}
      <Box
        component="ul"
        sx={{
          m: 0,
          mb: 4,
          p: 0,
          listStyle: 'none',
          display: 'grid',
          gap: 2,
          gridTemplateColumns: 'repeat(auto-fill, minmax(min(22rem, 100%), 1fr))',
        }}
      >
        {sites.data?.map((site) => (
          <li key={site.id}>
            <SiteCard site={site} />
          </li>
        ))}
      </Box>
      {panels.data && panels.data.length > 0 && (
        <Section title={t('sites.panels')} flush>
          <PanelTable panels={panels.data} withSite />
        </Section>
      )}
    </>
  );
}
