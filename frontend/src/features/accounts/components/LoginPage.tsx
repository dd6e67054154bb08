import { zodResolver } from '@hookform/resolvers/zod';
import Button from '@mui/material/Button';
import Stack from '@mui/material/Stack';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import * as z from 'zod';

import { ErrorNote } from '@/shared/ui/ErrorNote';
import { TextLink } from '@/shared/ui/links';

import { type LoginForm, useLogIn } from '@/features/accounts/api/login';

import { EntryFrame } from './EntryFrame';

const schema = z.object({ email: z.email(), password: z.string().min(1) });

export function LoginPage() {
  const { t } = useTranslation();
  const logIn = useLogIn();
  const { register, handleSubmit, formState } = useForm<LoginForm>({ resolver: zodResolver(schema) });
  const { errors } = formState;
  return (
    <EntryFrame title={t('entry.logIn')}>
      <form noValidate onSubmit={(event) => void handleSubmit((form) => logIn.mutate(form))(event)}>
        <Stack spacing={2.5}>
          {logIn.error && <ErrorNote error={logIn.error} />}
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
