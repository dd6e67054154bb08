import { useMutation } from '@tanstack/react-query';

import { publicApi } from '@/shared/api/client';
import { ProblemError, unwrap } from '@/shared/api/problem';
import { acceptGrant } from '@/shared/api/tokens';

export interface LoginForm {
  email: string;
  password: string;
  /** A code of the second factor, where the account has one. */
  otp?: string | undefined;
}

export interface RegistrationForm extends Omit<LoginForm, 'otp'> {
  full_name: string;
  organization?: string | undefined;
}

async function logIn({ email, password, otp }: LoginForm): Promise<void> {
  const body = { grant_type: 'password', username: email, password, ...(otp ? { otp } : {}) };
  const bodySerializer = (form: object) => new URLSearchParams({ ...form });
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  acceptGrant(await unwrap(publicApi.POST('/api/v1/auth/token', { body, bodySerializer, headers })));
}

async function register({ organization, ...form }: RegistrationForm): Promise<void> {
  const body = organization ? { ...form, organization } : form;
  await unwrap(publicApi.POST('/api/v1/auth/register', { body }));
  await logIn(form);
}

/** Did the platform refuse a log-in for its code, because it was missing or wrong? */
export const isAboutCode = (error: unknown): boolean =>
  error instanceof ProblemError && ['otp_required', 'otp_invalid'].includes(error.code);

export const useLogIn = () => useMutation({ mutationFn: logIn });

export const useRegister = () => useMutation({ mutationFn: register });
