import { zodResolver } from '@hookform/resolvers/zod';
import Alert from '@mui/material/Alert';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import type { ReactNode } from 'react';
import { Controller, useForm, useWatch } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import * as z from 'zod';

import type { Panel } from '@/shared/catalogue/queries';
import { Section } from '@/shared/ui/Section';

import { findCommonPopulations, type Parameters } from '@/features/submission/api/draft';

const PHASINGS = ['eagle', 'beagle', 'no_phasing'] as const;
const MODES = ['imputation', 'qc_only'] as const;
const PRIORITIES = ['high', 'normal', 'low'] as const;

const schema = z.object({
  name: z.string().trim().min(1).max(200),
  phasing: z.enum(PHASINGS),
  population: z.string(),
  r2_filter: z.number().min(0).max(1),
  mode: z.enum(MODES),
  priority: z.enum(PRIORITIES),
});

interface Props {
  value: Parameters;
  panels: Panel[];
  /** All files are phased already; absent where there are no files, as in a template. */
  phased?: boolean;
  /** What else belongs to it. */
  children?: ReactNode;
  /** What comes next; by default the review. */
  done?: string;
  pending?: boolean;
  onBack: () => void;
  onDone: (parameters: Parameters) => void;
}

export function ParametersStep({ value, panels, phased, children, done, pending = false, onBack, onDone }: Props) {
  const { t } = useTranslation();
  const inTemplate = phased === undefined;
  const populations = findCommonPopulations(panels);
  // The panels may change while this stands.
  const keep = (population: string) => (populations.includes(population) ? population : '');
  const { register, control, handleSubmit, formState } = useForm<Parameters>({
    resolver: zodResolver(schema),
    defaultValues: value,
  });
  const { errors } = formState;
  const send = (parameters: Parameters) => onDone({ ...parameters, population: keep(parameters.population) });
  const phasing = useWatch({ control, name: 'phasing' });
  const choices = (
    name: 'phasing' | 'population' | 'mode' | 'priority',
    label: string,
    options: [string, string][],
    hint: string,
  ) => (
    <Controller
      name={name}
      control={control}
      render={({ field }) => (
        <TextField
          select
          label={label}
          helperText={hint}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
          {...field}
          value={name === 'population' ? keep(field.value) : field.value}
        >
          {options.map(([key, text]) => (
            <MenuItem key={key} value={key}>
              {text}
            </MenuItem>
          ))}
        </TextField>
      )}
    />
  );
  return (
    <form noValidate onSubmit={(event) => void handleSubmit(send)(event)}>
      <Section title={t('newJob.steps.parameters')}>
        <Box sx={{ display: 'grid', gap: 3, mt: 1, gridTemplateColumns: { xs: '1fr', md: '1fr 1fr' } }}>
          <TextField
            label={t(inTemplate ? 'templates.name' : 'newJob.name')}
            autoFocus={!inTemplate}
            error={Boolean(errors.name)}
            helperText={t(errors.name ? 'newJob.nameMissing' : inTemplate ? 'templates.nameHint' : 'newJob.nameHint')}
            {...register('name')}
          />
          {choices(
            'population',
            t('newJob.population'),
            [['', t('newJob.anyPopulation')], ...populations.map((name): [string, string] => [name, name])],
            t(populations.length > 0 ? 'newJob.populationHint' : 'newJob.populationNone'),
          )}
          {choices(
            'phasing',
            t('newJob.phasing'),
            PHASINGS.map((key) => [key, t(`newJob.phasings.${key}`)]),
            t('newJob.phasingHint'),
          )}
          {choices(
            'mode',
            t('newJob.mode'),
            MODES.map((key) => [key, t(`newJob.modes.${key}`)]),
            t('newJob.modeHint'),
          )}
          <TextField
            label={t('newJob.r2Filter')}
            type="number"
            error={Boolean(errors.r2_filter)}
            helperText={t('newJob.r2FilterHint')}
            slotProps={{ htmlInput: { min: 0, max: 1, step: 0.05 } }}
            {...register('r2_filter', { valueAsNumber: true })}
          />
          {choices(
            'priority',
            t('newJob.priority'),
            PRIORITIES.map((key) => [key, t(`newJob.priorities.${key}`)]),
            t('newJob.priorityHint'),
          )}
        </Box>
        {phased === false && phasing === 'no_phasing' && (
          <Alert severity="warning" sx={{ mt: 2 }}>
            {t('newJob.notPhased')}
          </Alert>
        )}
        {children}
      </Section>
      <Box sx={{ display: 'flex', justifyContent: 'space-between', gap: 2 }}>
        <Button onClick={onBack}>{t('common.back')}</Button>
        <Button type="submit" variant="contained" loading={pending}>
          {done ?? t('newJob.next', { step: t('newJob.steps.review') })}
        </Button>
      </Box>
    </form>
  );
}
