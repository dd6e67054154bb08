import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { Section } from '@/shared/ui/Section';

import { useSecondFactor } from '@/features/accounts/api/secondFactor';

import { FactorOff } from './FactorOff';
import { FactorOn } from './FactorOn';
import { RecoveryCodes } from './RecoveryCodes';

/** A code of an authenticator app besides the password. New recovery codes stand in place of all else until they are stored. */
export function SecondFactorSection() {
  const { t } = useTranslation();
  const factor = useSecondFactor();
  const [codes, setCodes] = useState<string[] | null>(null);
  return (
    <Section title={t('factor.title')}>
      <Typography sx={{ mb: 2, color: 'text.secondary', maxWidth: '46rem' }}>{t('factor.lead')}</Typography>
      {factor.isPending && <Loading />}
      {factor.error && <ErrorNote error={factor.error} onRetry={factor.refetch} />}
      {codes ? (
        <RecoveryCodes codes={codes} onStored={() => setCodes(null)} />
      ) : (
        factor.data &&
        (factor.data.enabled ? <FactorOn factor={factor.data} onCodes={setCodes} /> : <FactorOff onCodes={setCodes} />)
      )}
    </Section>
  );
}
