import { useTranslation } from 'react-i18next';

import type { Site } from '@/shared/catalogue/queries';
import { SiteFacts } from '@/shared/catalogue/SiteFacts';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';

const NAMES = [
  'lists_panels',
  'takes_files',
  'finds_by_mark',
  'cancels',
  'restarts',
  'hands_out_results',
  'resumes_downloads',
  'deletes',
] as const;

/** What the platform has found that it can count on at a site; nothing before it was first reached. */
export function CapabilitySection({ site }: { site: Site }) {
  const { t } = useTranslation();
  const { capabilities } = site;
  if (capabilities === null) return null;
  const tell = (able: boolean | null | undefined) =>
    able == null ? t('capabilities.open') : t(able ? 'common.yes' : 'common.no');
  return (
    <Section title={t('capabilities.title')}>
      <SiteFacts site={site} />
      <Readouts least="14rem">
        {NAMES.map((name) => (
          <Readout key={name} label={t(`capabilities.${name}`)}>
            {tell(capabilities[name])}
          </Readout>
        ))}
      </Readouts>
    </Section>
  );
}
