import Alert from '@mui/material/Alert';
import FormControl from '@mui/material/FormControl';
import FormControlLabel from '@mui/material/FormControlLabel';
import FormLabel from '@mui/material/FormLabel';
import Radio from '@mui/material/Radio';
import RadioGroup from '@mui/material/RadioGroup';
import { useTranslation } from 'react-i18next';

import { type Panel, useSites } from '@/shared/catalogue/queries';
import { EmptyNote } from '@/shared/ui/EmptyNote';
import { Section } from '@/shared/ui/Section';
import { StatusMark } from '@/shared/ui/StatusMark';

import type { Build } from '@/features/submission/api/draft';

import { PanelChoice } from './PanelChoice';

interface Props {
  panels: Panel[];
  build: Build | null;
  /** What the files themselves say. */
  found: Build | null;
  chosen: string[];
  onBuild: (build: Build) => void;
  onChoose: (panelIds: string[]) => void;
}

export function TargetsStep({ panels, build, found, chosen, onBuild, onChoose }: Props) {
  const { t } = useTranslation();
  const sites = useSites().data ?? [];
  const fitting = panels.filter((panel) => panel.build === build);
  const offering = sites.filter((site) => fitting.some((panel) => panel.service_id === site.id));
  const toggle = (id: string) =>
    onChoose(chosen.includes(id) ? chosen.filter((other) => other !== id) : [...chosen, id]);
  return (
    <>
      <Section title={t('newJob.build')}>
        <FormControl>
          <FormLabel id="build">
            {t(found === null ? 'newJob.buildAsk' : 'newJob.buildFound', { build: found })}
          </FormLabel>
          <RadioGroup row aria-labelledby="build" value={build ?? ''} onChange={(_, value) => onBuild(value as Build)}>
            <FormControlLabel value="hg38" control={<Radio />} label="hg38 (GRCh38)" />
            <FormControlLabel value="hg19" control={<Radio />} label="hg19 (GRCh37)" />
          </RadioGroup>
        </FormControl>
        {found !== null && build !== found && (
          <Alert severity="warning">{t('newJob.buildDiffers', { build: found })}</Alert>
        )}
      </Section>
      {build !== null && offering.length === 0 && (
        <EmptyNote title={t('newJob.noPanels', { build })}>{t('newJob.noPanelsHint')}</EmptyNote>
      )}
      {offering.map((site) => (
        <Section key={site.id} title={site.name} aside={<StatusMark status={site.health_status} />}>
          {!site.is_available && (
            <Alert severity="info" sx={{ mb: 1 }}>
              {t('newJob.siteAway')}
            </Alert>
          )}
          {fitting
            .filter((panel) => panel.service_id === site.id)
            .map((panel) => (
              <PanelChoice
                key={panel.id}
                panel={panel}
                checked={chosen.includes(panel.id)}
                onToggle={() => toggle(panel.id)}
              />
            ))}
        </Section>
      ))}
    </>
  );
}
