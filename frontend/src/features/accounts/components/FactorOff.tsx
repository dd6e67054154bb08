import Alert from '@mui/material/Alert';
import Button from '@mui/material/Button';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { type Enrolment, useConfirm, useEnrol } from '@/features/accounts/api/secondFactor';

import { EnrolmentGuide } from './EnrolmentGuide';
import { ProofForm } from './ProofForm';

interface Props {
  onCodes: (codes: string[]) => void;
}

/** From "off" over the password and the app to the first code. */
export function FactorOff({ onCodes }: Props) {
  const { t } = useTranslation();
  const enrol = useEnrol();
  const confirm = useConfirm();
  const [asked, setAsked] = useState(false);
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null);

  if (enrolment)
    return (
      <EnrolmentGuide
        enrolment={enrolment}
        error={confirm.error}
        pending={confirm.isPending}
        onCode={(otp) => confirm.mutate(otp, { onSuccess: (answer) => onCodes(answer.recovery_codes) })}
        onCancel={() => {
          setEnrolment(null);
          setAsked(false);
        }}
      />
    );
  if (asked)
    return (
      <ProofForm
        action={t('factor.continue')}
        error={enrol.error}
        pending={enrol.isPending}
        onProof={({ password }) => enrol.mutate(password, { onSuccess: setEnrolment })}
        onCancel={() => setAsked(false)}
      />
    );
  return (
    <>
      <Alert severity="info" sx={{ mb: 2 }}>
        {t('factor.off')}
      </Alert>
      <Button variant="contained" onClick={() => setAsked(true)}>
        {t('factor.setUp')}
      </Button>
    </>
  );
}
