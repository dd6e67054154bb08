import { useMutation } from '@tanstack/react-query';

import { publicApi } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';
import { acceptGrant } from '@/shared/api/tokens';

export interface LoginForm {
  email: string;
  password: string;
}

export interface RegistrationForm extends LoginForm {
  full_name: string;
  organization?: string | undefined;
}

async function logIn({ email, password }: LoginForm): Promise<void> {
  const body = { grant_type: 'password', username: email, password };
  const bodySerializer = (form: object) => new URLSearchParams({ ...form });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  acceptGrant(await unwrap(publicApi.POST('/api/v1/auth/token', { body, bodySerializer, headers })));
}

async function register({ organization, ...form }: RegistrationForm): Promise<void> {
  const body = organization ? { ...form, organization } : form;
  await unwrap(publicApi.POST('/api/v1/auth/register', { body }));
  await logIn(form);
}

export const useLogIn = () => useMutation({ mutationFn: logIn });

export const useRegister = () => useMutation({ mutationFn: register });
