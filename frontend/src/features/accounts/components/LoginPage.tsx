import { zodResolver } from '@hookform/resolvers/zod';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import * as z from 'zod';

import { ProblemError } from '@/shared/api/problem';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { TextLink } from '@/shared/ui/links';

import { isAboutCode, type LoginForm, useLogIn } from '@/features/accounts/api/login';

import { CodeField } from './CodeField';
import { EntryFrame } from './EntryFrame';

const schema = z.object({ email: z.email(), password: z.string().min(1), otp: z.string().trim().optional() });

export function LoginPage() {
  const { t } = useTranslation();
  const logIn = useLogIn();
  const { register, handleSubmit, setError, formState } = useForm<LoginForm>({ resolver: zodResolver(schema) });
  const { errors } = formState;
  const [needsCode, setNeedsCode] = useState(false);
  const send = (form: LoginForm) => {
    if (needsCode && !form.otp) setError('otp', {});
    else logIn.mutate(form, { onError: (error) => setNeedsCode((before) => before || isAboutCode(error)) });
  };
  // That a code is missing is a question, and no error.
  const failed = logIn.error instanceof ProblemError && logIn.error.code === 'otp_required' ? null : logIn.error;
  return (
    <EntryFrame title={t('entry.logIn')}>
      <form noValidate onSubmit={(event) => void handleSubmit(send)(event)}>
        <Stack spacing={2.5}>
          {failed && <ErrorNote error={failed} />}
          <TextField
            label={t('entry.email')}
            type="email"
            autoComplete="username"
            autoFocus
            error={Boolean(errors.email)}
            helperText={errors.email && t('entry.emailInvalid')}
            {...register('email')}
          />
          <TextField
            label={t('entry.password')}
            type="password"
            autoComplete="current-password"
            error={Boolean(errors.password)}
            helperText={errors.password && t('entry.passwordMissing')}
            {...register('password')}
          />
          {needsCode && (
            <CodeField
              label={t('factor.code')}
              autoFocus
              error={Boolean(errors.otp)}
              helperText={t('factor.codeHint')}
              {...register('otp')}
            />
          )}
          <Button type="submit" variant="contained" size="large" loading={logIn.isPending}>
            {t('entry.logIn')}
          </Button>
          <Typography>
            {t('entry.noAccount')} <TextLink to="/register">{t('entry.register')}</TextLink>
          </Typography>
        </Stack>
      </form>
    </EntryFrame>
  );
}
