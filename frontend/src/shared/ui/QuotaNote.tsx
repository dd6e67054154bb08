import Alert from '@mui/material/Alert';
import AlertTitle from '@mui/material/AlertTitle';
import { useTranslation } from 'react-i18next';

import type { QuotaProblem } from '@/shared/api/problem';
import { formatBytes, formatCount, formatMoment } from '@/shared/format/units';

/** Which quota is used up, and what frees it. */
export function QuotaNote({ quota }: { quota: QuotaProblem }) {
  const { t, i18n } = useTranslation();
  const { name, subject, most, used, wanted, frees_at } = quota;
  const write = (value: number) =>
    name === 'input_bytes_per_month' ? formatBytes(value, i18n.language) : formatCount(value, i18n.language);
  const frees = () => {
    if (wanted > most) return t('quota.never');
    return frees_at === null
      ? t('quota.freesWithRun')
      : t('quota.freesAt', { moment: formatMoment(frees_at, i18n.language) });
  };
  return (
    <Alert severity="warning">
      <AlertTitle>
        {t('quota.short')} {t(`quota.${name}`)} ({t(`quota.of.${subject}`)})
      </AlertTitle>
      {t('quota.facts', { used: write(used), most: write(most), wanted: write(wanted) })} {frees()}
    </Alert>
  );
}
