import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';

import { usePanels, useSites } from '@/shared/catalogue/queries';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';

import {
  areUsable,
  type Draft,
  emptyDraft,
  fillDraft,
  findBuild,
  findTargets,
  listPanels,
  suggestParameters,
} from '@/features/submission/api/draft';
import { useQualities } from '@/features/submission/api/queries';
import { type Template, useTemplate } from '@/features/submission/api/templates';

import { GenotypesStep } from './GenotypesStep';
import { ParametersStep } from './ParametersStep';
import { ReviewStep } from './ReviewStep';
import { STEPS, StepsBar } from './StepsBar';
import { TargetsStep } from './TargetsStep';
import { TemplateChoice } from './TemplateChoice';

/** `?template=…` names the template that it starts from; one that is gone is none. */
export function NewJobPage() {
  const { t } = useTranslation();
  const [search] = useSearchParams();
  const template = useTemplate(search.get('template'));
  return (
    <>
      <PageHead title={t('newJob.title')} lead={t('newJob.lead')} />
      {template.isLoading ? <Loading /> : <NewJob first={template.data ?? null} />}
    </>
  );
}

function NewJob({ first }: { first: Template | null }) {
  const { t } = useTranslation();
  const [template, setTemplate] = useState(first);
  const [draft, setDraft] = useState<Draft>(first === null ? emptyDraft : fillDraft(emptyDraft, first));
  const [step, setStep] = useState(0);
  const heading = useRef<HTMLDivElement>(null);
  const qualities = useQualities(draft.fileIds);
  const panels = usePanels().data ?? [];
  const sites = useSites().data ?? [];
  const build = draft.build ?? findBuild(qualities);
  const targets = findTargets(draft, build, panels, sites);
  const phased = qualities.length > 0 && qualities.every((quality) => quality.phased === true);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));

  // With each step the reading starts at its beginning again, for eyes and for screen readers.
  useEffect(() => {
    if (step > 0) heading.current?.focus();
  }, [step]);

  const mayGoOn = [areUsable(draft, qualities), build !== null && targets.length > 0][step] ?? true;
  const back = () => setStep(step - 1);
  const forward = () => setStep(step + 1);
  const start = (chosen: Template | null) => {
    setTemplate(chosen);
    setDraft(({ fileIds }) =>
      chosen === null ? { ...emptyDraft, fileIds } : fillDraft({ ...emptyDraft, fileIds }, chosen),
    );
  };

  return (
    <>
      <Box ref={heading} tabIndex={-1} sx={{ outline: 'none' }}>
        <StepsBar current={step} />
      </Box>
      {step === 0 && (
        <>
          <TemplateChoice chosen={template} panels={panels} onChoose={start} />
          <GenotypesStep
            fileIds={draft.fileIds}
            onChange={(update) => setDraft((before) => ({ ...before, fileIds: update(before.fileIds) }))}
          />
        </>
      )}
      {step === 1 && (
        <TargetsStep panels={panels} draft={draft} build={build} found={findBuild(qualities)} onChange={change} />
      )}
      {step === 2 && (
        <ParametersStep
          value={draft.parameters ?? suggestParameters(phased)}
          panels={listPanels(targets)}
          phased={phased}
          onBack={back}
          onDone={(parameters) => {
            change({ parameters });
            forward();
          }}
        />
      )}
      {step === 3 && build !== null && draft.parameters && (
        <ReviewStep
          fileIds={draft.fileIds}
          parameters={draft.parameters}
          build={build}
          countries={draft.countries}
          targets={targets}
          onBack={back}
        />
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
