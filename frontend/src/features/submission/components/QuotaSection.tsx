import Box from '@mui/material/Box';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { formatBytes, formatCount } from '@/shared/format/units';
import { QuotaNote } from '@/shared/ui/QuotaNote';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';

import { findShortage, NAMES, type QuotaName, SUBJECTS, useQuotas, type Wanted } from '@/features/submission/api/quota';

/** What is used of what one may have, and whether this job still fits; nothing where there is no limit. */
export function QuotaSection({ wanted }: { wanted: Wanted }) {
  const { t, i18n } = useTranslation();
  const quotas = useQuotas().data;
  if (!quotas) return null;
  const limits = NAMES.flatMap((name) =>
    SUBJECTS.flatMap((subject) => {
      const { used, most } = quotas[subject][name];
      return most === null ? [] : [{ name, subject, used, most }];
    }),
  );
  if (limits.length === 0) return null;
  const write = (name: QuotaName, value: number) =>
    name === 'input_bytes_per_month' ? formatBytes(value, i18n.language) : formatCount(value, i18n.language);
  const shortage = findShortage(quotas, wanted);
  return (
    <Section title={t('quota.title')}>
      <Readouts least="14rem">
        {limits.map(({ name, subject, used, most }) => (
          <Readout key={name + subject} label={t(`quota.${name}`)}>
            {t('quota.use', { used: write(name, used), most: write(name, most) })}
            <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
              {t(`quota.of.${subject}`)} · {t('quota.adds', { more: write(name, wanted[name]) })}
            </Typography>
          </Readout>
        ))}
      </Readouts>
      {shortage && (
        <Box sx={{ mt: 2 }}>
          <QuotaNote quota={shortage} />
        </Box>
      )}
    </Section>
  );
}
