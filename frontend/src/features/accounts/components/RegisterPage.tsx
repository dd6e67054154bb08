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

import { type RegistrationForm, useRegister } from '@/features/accounts/api/login';

import { EntryFrame } from './EntryFrame';

// The platform's own rule for passwords (user_service).
const PASSWORD_MIN = 10;

const schema = z.object({
  full_name: z.string().trim().min(1).max(200),
  email: z.email(),
  organization: z.string().trim().max(200).optional(),
  password: z.string().min(PASSWORD_MIN).max(256),
});

export function RegisterPage() {
  const { t } = useTranslation();
  const registration = useRegister();
  const { register, handleSubmit, formState } = useForm<RegistrationForm>({ resolver: zodResolver(schema) });
  const { errors } = formState;
  return (
    <EntryFrame title={t('entry.createAccount')}>
      <form noValidate onSubmit={(event) => void handleSubmit((form) => registration.mutate(form))(event)}>
        <Stack spacing={2.5}>
          {registration.error && <ErrorNote error={registration.error} />}
          <TextField
            label={t('entry.fullName')}
            autoComplete="name"
            autoFocus
            error={Boolean(errors.full_name)}
            helperText={errors.full_name && t('entry.fullNameMissing')}
            {...register('full_name')}
          />
          <TextField
            label={t('entry.email')}
            type="email"
            autoComplete="username"
            error={Boolean(errors.email)}
            helperText={errors.email && t('entry.emailInvalid')}
            {...register('email')}
          />
          <TextField
            label={t('entry.organization')}
            autoComplete="organization"
            helperText={t('entry.organizationHint')}
            {...register('organization')}
          />
          <TextField
            label={t('entry.password')}
            type="password"
            autoComplete="new-password"
            error={Boolean(errors.password)}
            helperText={t('entry.passwordRule', { count: PASSWORD_MIN })}
            {...register('password')}
          />
          <Button type="submit" variant="contained" size="large" loading={registration.isPending}>
            {t('entry.createAccount')}
          </Button>
          <Typography>
            {t('entry.haveAccount')} <TextLink to="/login">{t('entry.logIn')}</TextLink>
          </Typography>
        </Stack>
      </form>
    </EntryFrame>
  );
}
