import { useQuery } from '@tanstack/react-query';

import { api, type Schemas } from './client';
import { unwrap } from './problem';

export type Account = Schemas['UserRecord'];

export const useAccount = () =>
  useQuery({ queryKey: ['account'], queryFn: () => unwrap(api.GET('/api/v1/users/me')), staleTime: Infinity });

export const mayOperate = (account: Account | undefined): boolean =>
  account?.roles.some((role) => role === 'operator' || role === 'admin') ?? false;

export const mayCurate = (account: Account | undefined): boolean =>
  account?.roles.some((role) => role === 'curator' || role === 'admin') ?? false;
