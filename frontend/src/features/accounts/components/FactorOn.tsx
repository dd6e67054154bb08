import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import type { Schemas } from '@/shared/api/client';
import { formatMoment } from '@/shared/format/units';

import { useDisable, useRenewCodes } from '@/features/accounts/api/secondFactor';

import { ProofForm } from './ProofForm';

// So few that new ones are due.
const FEW = 3;

interface Props {
  factor: Schemas['MfaRecord'];
  onCodes: (codes: string[]) => void;
}

export function FactorOn({ factor, onCodes }: Props) {
  const { t, i18n } = useTranslation();
  const disable = useDisable();
  const renew = useRenewCodes();
  const [asked, setAsked] = useState<'renew' | 'disable' | null>(null);
  const left = factor.recovery_codes_left;
  const since = factor.enabled_at === null ? '' : formatMoment(factor.enabled_at, i18n.language);

  return (
    <>
      <Alert severity="success" sx={{ mb: 2 }}>
        {t('factor.on', { moment: since })}
      </Alert>
      <Alert severity={left > FEW ? 'info' : 'warning'} sx={{ mb: 2 }}>
        {t('factor.codesLeft', { count: left })}
      </Alert>
      {asked === null && (
        <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: 'wrap' }}>
          <Button variant="outlined" onClick={() => setAsked('renew')}>
            {t('factor.renew')}
          </Button>
          <Button variant="outlined" color="error" onClick={() => setAsked('disable')}>
            {t('factor.disable')}
          </Button>
        </Stack>
      )}
      {asked === 'renew' && (
        <ProofForm
          action={t('factor.renew')}
          error={renew.error}
          pending={renew.isPending}
          withCode
          onProof={(proof) => renew.mutate(proof, { onSuccess: (answer) => onCodes(answer.recovery_codes) })}
          onCancel={() => setAsked(null)}
        />
      )}
      {asked === 'disable' && (
        <ProofForm
          action={t('factor.disable')}
          error={disable.error}
          pending={disable.isPending}
          withCode
          onProof={(proof) => disable.mutate(proof)}
          onCancel={() => setAsked(null)}
        />
      )}
    </>
  );
}
