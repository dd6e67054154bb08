import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';

import { ProblemError } from '@/shared/api/problem';
import { nameCountries } from '@/shared/format/countries';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { QuotaNote } from '@/shared/ui/QuotaNote';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';

import { type Build, type ChosenTarget, type Parameters, toSettings } from '@/features/submission/api/draft';
import { fileQuery, useSubmitJob } from '@/features/submission/api/queries';

import { QuotaSection } from './QuotaSection';
import { SaveTemplate } from './SaveTemplate';

interface Props {
  fileIds: string[];
  parameters: Parameters;
  build: Build;
  countries: string[];
  targets: ChosenTarget[];
  onBack: () => void;
}

export function ReviewStep({ fileIds, parameters, build, countries, targets, onBack }: Props) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const submit = useSubmitJob();
  const files = useQueries({ queries: fileIds.map(fileQuery) });
  const { name, population, phasing, mode, r2_filter, priority } = parameters;
  const settings = toSettings(parameters, build, countries, targets);
  const bytes = files.reduce((sum, file) => sum + (file.data?.size ?? 0), 0);
  const send = () =>
    submit.mutate(
      { ...settings, name, input_file_ids: fileIds },
      { onSuccess: (job) => void navigate(`/jobs/${job.id}`) },
    );
  const used = submit.error instanceof ProblemError ? submit.error.quota : undefined;
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
          <Readout label={t('newJob.priority')}>{t(`newJob.priorities.${priority}`)}</Readout>
          <Readout label={t('residency.goesTo')}>
            {countries.length > 0 ? nameCountries(countries, i18n.language) : t('residency.everywhere')}
          </Readout>
        </Readouts>
      </Section>
      <Section title={t('newJob.runs', { count: targets.length })}>
        <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
          {targets.map(({ panel, alternates }) => (
            <li key={panel.id}>
              <strong>{panel.name}</strong> · {panel.service_name}
              {alternates.length > 0 && (
                <Box sx={{ color: 'text.secondary', fontSize: '0.875rem' }}>
                  {t('alternates.lead')}{' '}
                  {alternates.map((alternate) => `${alternate.name} · ${alternate.service_name}`).join(', ')}
                </Box>
              )}
            </li>
          ))}
        </Box>
      </Section>
      <QuotaSection wanted={{ running_runs: targets.length, jobs_per_month: 1, input_bytes_per_month: bytes }} />
      {used && (
        <Box sx={{ mb: 2 }}>
          <QuotaNote quota={used} />
        </Box>
      )}
      {submit.error && !used && <ErrorNote error={submit.error} />}
      <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 2 }}>
        <Button onClick={onBack} disabled={submit.isPending} sx={{ mr: 'auto' }}>
          {t('common.back')}
        </Button>
        <SaveTemplate name={name} settings={settings} />
        <Button variant="contained" size="large" onClick={send} loading={submit.isPending}>
          {t('newJob.submit')}
        </Button>
      </Box>
    </>
  );
}
