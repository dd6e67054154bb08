import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { ErrorNote } from '@/shared/ui/ErrorNote';

import type { Proof } from '@/features/accounts/api/secondFactor';

import { CodeField } from './CodeField';

interface Props {
  action: string;
  error: unknown;
  pending: boolean;
  /** Besides the password. */
  withCode?: boolean;
  onProof: (proof: Proof) => void;
  onCancel: () => void;
}

/** A page that was left open changes nothing: the owner says once more who they are. */
export function ProofForm({ action, error, pending, withCode = false, onProof, onCancel }: Props) {
  const { t } = useTranslation();
  const [proof, setProof] = useState<Proof>({ password: '', otp: '' });
  const complete = proof.password !== '' && (!withCode || proof.otp.trim() !== '');

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (complete) onProof(proof);
  };

  return (
    <Box component="form" onSubmit={submit} sx={{ maxWidth: 400 }}>
      {Boolean(error) && <ErrorNote error={error} />}
      <Stack spacing={2}>
        <TextField
          label={t('entry.password')}
          type="password"
          autoComplete="current-password"
          autoFocus
          value={proof.password}
          onChange={(event) => setProof({ ...proof, password: event.target.value })}
        />
        {withCode && (
          <CodeField
            label={t('factor.codeOrRecovery')}
            value={proof.otp}
            onChange={(event) => setProof({ ...proof, otp: event.target.value })}
          />
        )}
        <Stack direction="row" useFlexGap spacing={1.5} sx={{ flexWrap: 'wrap' }}>
          <Button type="submit" variant="contained" disabled={!complete} loading={pending}>
            {action}
          </Button>
          <Button onClick={onCancel}>{t('common.cancel')}</Button>
        </Stack>
      </Stack>
    </Box>
  );
}
