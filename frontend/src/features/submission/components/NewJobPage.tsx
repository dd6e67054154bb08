import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { usePanels } from '@/shared/catalogue/queries';
import { PageHead } from '@/shared/ui/PageHead';

import { areUsable, type Draft, emptyDraft, findBuild, suggestParameters } from '@/features/submission/api/draft';
import { useQualities } from '@/features/submission/api/queries';

import { GenotypesStep } from './GenotypesStep';
import { ParametersStep } from './ParametersStep';
import { ReviewStep } from './ReviewStep';
import { STEPS, StepsBar } from './StepsBar';
import { TargetsStep } from './TargetsStep';

export function NewJobPage() {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const [step, setStep] = useState(0);
  const heading = useRef<HTMLDivElement>(null);
  const qualities = useQualities(draft.fileIds);
  const panels = usePanels().data ?? [];
  const build = draft.build ?? findBuild(qualities);
  const chosen = panels.filter((panel) => draft.panelIds.includes(panel.id) && panel.build === build);
  const phased = qualities.length > 0 && qualities.every((quality) => quality.phased === true);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));

  // With each step the reading starts at its beginning again, for eyes and for screen readers.
  useEffect(() => {
    if (step > 0) heading.current?.focus();
  }, [step]);

  const mayGoOn = [areUsable(draft, qualities), build !== null && chosen.length > 0][step] ?? true;
  const back = () => setStep(step - 1);
  const forward = () => setStep(step + 1);

  return (
    <>
      <PageHead title={t('newJob.title')} lead={t('newJob.lead')} />
      <Box ref={heading} tabIndex={-1} sx={{ outline: 'none' }}>
        <StepsBar current={step} />
      </Box>
      {step === 0 && (
        <GenotypesStep
          fileIds={draft.fileIds}
          onChange={(update) => setDraft((before) => ({ ...before, fileIds: update(before.fileIds) }))}
        />
      )}
      {step === 1 && (
        <TargetsStep
          panels={panels}
          build={build}
          found={findBuild(qualities)}
          chosen={draft.panelIds}
          onBuild={(value) => change({ build: value })}
          onChoose={(panelIds) => change({ panelIds })}
        />
      )}
      {step === 2 && (
        <ParametersStep
          value={draft.parameters ?? suggestParameters(phased)}
          panels={chosen}
          phased={phased}
          onBack={back}
          onDone={(parameters) => {
            change({ parameters });
            forward();
          }}
        />
      )}
      {step === 3 && build !== null && draft.parameters && (
        <ReviewStep fileIds={draft.fileIds} parameters={draft.parameters} build={build} panels={chosen} onBack={back} />
      )}
      {step < 2 && (
        <Box sx={{ display: 'flex', justifyContent: 'space-between', gap: 2 }}>
          <Button onClick={back} disabled={step === 0}>
            {t('common.back')}
          </Button>
          <Button variant="contained" onClick={forward} disabled={!mayGoOn}>
            {t('newJob.next', { step: t(`newJob.steps.${STEPS[step + 1] ?? 'review'}`) })}
          </Button>
        </Box>
      )}
    </>
  );
}
