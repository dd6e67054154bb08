import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { api, type Schemas } from '@/shared/api/client';
import { unwrap } from '@/shared/api/problem';

export type Enrolment = Schemas['EnrolmentAnswer'];

/** That it is the account's owner; `otp` may be a recovery code. */
export type Proof = Schemas['Proof'];

const KEY = ['second-factor'];

export const useSecondFactor = () =>
  useQuery({ queryKey: KEY, queryFn: () => unwrap(api.GET('/api/v1/users/me/mfa')) });

/** What these answer is shown once, so nothing keeps it when its page is left. */
const forgotten = { gcTime: 0 };

export const useEnrol = () =>
  useMutation({
    ...forgotten,
    mutationFn: (password: string) => unwrap(api.POST('/api/v1/users/me/mfa', { body: { password } })),
  });

function useChange<Input, Answer>(mutationFn: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation({ ...forgotten, mutationFn, onSuccess: () => client.invalidateQueries({ queryKey: KEY }) });
}

export const useConfirm = () =>
  useChange((otp: string) => unwrap(api.POST('/api/v1/users/me/mfa/confirm', { body: { otp } })));

export const useRenewCodes = () =>
  useChange((body: Proof) => unwrap(api.POST('/api/v1/users/me/mfa/recovery-codes', { body })));

export const useDisable = () => useChange((body: Proof) => unwrap(api.POST('/api/v1/users/me/mfa/disable', { body })));
