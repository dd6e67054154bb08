import { useTranslation } from 'react-i18next';

import { ProblemError } from '@/shared/api/problem';

import { ErrorNote } from './ErrorNote';
import { PageHead } from './PageHead';

interface Props {
  error: unknown;
  onRetry: () => unknown;
}

/** In place of a page whose subject could not be read. What does not exist is not asked for again. */
export function PageError({ error, onRetry }: Props) {
  const { t } = useTranslation();
  const missing = error instanceof ProblemError && error.status === 404;
  return (
    <>
      <PageHead title={t(missing ? 'lost.title' : 'lost.unread')} />
      <ErrorNote error={error} onRetry={missing ? undefined : onRetry} />
    </>
  );
}
