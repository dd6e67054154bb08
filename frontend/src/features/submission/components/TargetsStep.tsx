import { useTranslation } from 'react-i18next';

import { type Panel, useSites } from '@/shared/catalogue/queries';
import { EmptyNote } from '@/shared/ui/EmptyNote';

import { type Build, type Choice, choosePanel, type Draft, findSite, mayGoTo } from '@/features/submission/api/draft';

import { AlternatesChoice } from './AlternatesChoice';
import { BuildChoice } from './BuildChoice';
import { PanelChoice } from './PanelChoice';
import { ResidencyChoice } from './ResidencyChoice';
import { SiteSection } from './SiteSection';

interface Props {
  panels: Panel[];
  draft: Pick<Draft, 'choices' | 'countries'>;
  build: Build | null;
  found?: Build | null;
  onChange: (part: Partial<Draft>) => void;
}

export function TargetsStep({ panels, draft, build, found, onChange }: Props) {
  const { t } = useTranslation();
  const sites = useSites().data ?? [];
  const { choices, countries } = draft;
  const fitting = panels.filter((panel) => panel.build === build);
  const isChosen = (panel: Panel) => choices.some((choice) => choice.panelId === panel.id);
  const toggle = (panel: Panel) =>
    onChange({
      choices: isChosen(panel)
        ? choices.filter((choice) => choice.panelId !== panel.id)
        : [...choices, choosePanel(panel.id)],
    });
  const replace = (changed: Choice) =>
    onChange({ choices: choices.map((choice) => (choice.panelId === changed.panelId ? changed : choice)) });
  /** What another site could do as well; what is chosen itself is done already. */
  const findAlternates = (panel: Panel) =>
    fitting.filter(
      (other) =>
        other.service_id !== panel.service_id && !isChosen(other) && mayGoTo(findSite(sites, other), countries),
    );
  const offering = sites.filter((site) => fitting.some((panel) => panel.service_id === site.id));
  return (
    <>
      <BuildChoice build={build} found={found} onChoose={(value) => onChange({ build: value })} />
      <ResidencyChoice countries={countries} sites={sites} onChange={(codes) => onChange({ countries: codes })} />
      {build !== null && offering.length === 0 && (
        <EmptyNote title={t('newJob.noPanels', { build })}>{t('newJob.noPanelsHint')}</EmptyNote>
      )}
      {offering.map((site) => (
        <SiteSection key={site.id} site={site} isOutside={!mayGoTo(site, countries)}>
          {fitting
            .filter((panel) => panel.service_id === site.id)
            .map((panel) => (
              <PanelChoice
                key={panel.id}
                panel={panel}
                checked={isChosen(panel)}
                disabled={!mayGoTo(site, countries)}
                onToggle={() => toggle(panel)}
              >
                <AlternatesChoice
                  name={panel.name}
                  choice={choices.find((choice) => choice.panelId === panel.id) ?? choosePanel(panel.id)}
                  compatible={findAlternates(panel)}
                  onChange={replace}
                />
              </PanelChoice>
            ))}
        </SiteSection>
      ))}
    </>
  );
}
