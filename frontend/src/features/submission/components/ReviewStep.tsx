import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import type { Panel } from '@/shared/catalogue/queries';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';

import { type Build, type Parameters, toWish } from '@/features/submission/api/draft';
import { fileQuery, useSubmitJob } from '@/features/submission/api/queries';

interface Props {
  fileIds: string[];
  parameters: Parameters;
  build: Build;
  panels: Panel[];
  onBack: () => void;
}

export function ReviewStep({ fileIds, parameters, build, panels, onBack }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const submit = useSubmitJob();
  const files = useQueries({ queries: fileIds.map(fileQuery) });
  const { name, population, phasing, mode, r2_filter } = parameters;
  const send = () =>
    submit.mutate(toWish(fileIds, parameters, build, panels), { onSuccess: (job) => void navigate(`/jobs/${job.id}`) });
  return (
    <>
      <Section title={name}>
        <Readouts least="12rem">
          <Readout label={t('newJob.steps.genotypes')}>{files.map((file) => file.data?.filename).join(', ')}</Readout>
          <Readout label={t('newJob.build')}>{build}</Readout>
          <Readout label={t('newJob.population')}>{population || t('newJob.anyPopulation')}</Readout>
          <Readout label={t('newJob.phasing')}>{t(`newJob.phasings.${phasing}`)}</Readout>
          <Readout label={t('newJob.mode')}>{t(`newJob.modes.${mode}`)}</Readout>
          <Readout label={t('newJob.r2Filter')}>{r2_filter}</Readout>
        </Readouts>
      </Section>
      <Section title={t('newJob.runs', { count: panels.length })}>
        <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
          {panels.map((panel) => (
            <li key={panel.id}>
              <strong>{panel.name}</strong> · {panel.service_name}
            </li>
          ))}
        </Box>
      </Section>
      {submit.error && <ErrorNote error={submit.error} />}
      <Box sx={{ display: 'flex', justifyContent: 'space-between', gap: 2 }}>
        <Button onClick={onBack} disabled={submit.isPending}>
          {t('common.back')}
        </Button>
        <Button variant="contained" size="large" onClick={send} loading={submit.isPending}>
          {t('newJob.submit')}
        </Button>
      </Box>
    </>
  );
}
