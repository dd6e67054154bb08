import { useTranslation } from 'react-i18next';

import { useAccount } from '@/shared/api/account';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';
import { Readout, Readouts } from '@/shared/ui/Readout';
import { Section } from '@/shared/ui/Section';

import { SecondFactorSection } from './SecondFactorSection';

export function AccountPage() {
  const { t } = useTranslation();
  const account = useAccount();
  return (
    <>
      <PageHead title={t('account.title')} />
      {account.isPending && <Loading />}
      {account.error && <ErrorNote error={account.error} onRetry={account.refetch} />}
      {account.data && (
        <Section title={t('account.profile')}>
          <Readouts least="16rem">
            <Readout label={t('entry.fullName')}>{account.data.full_name}</Readout>
            <Readout label={t('entry.email')}>{account.data.email}</Readout>
            <Readout label={t('account.organization')}>{account.data.organization.name}</Readout>
          </Readouts>
        </Section>
      )}
      <SecondFactorSection />
    </>
  );
}
