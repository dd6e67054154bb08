import Stack from '@mui/material/Stack';
import { useTranslation } from 'react-i18next';

import { EmptyNote } from '@/shared/ui/EmptyNote';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { ButtonLink } from '@/shared/ui/links';
import { Loading } from '@/shared/ui/Loading';
import { PageHead } from '@/shared/ui/PageHead';

import { useTemplates } from '@/features/submission/api/templates';

import { TemplateCard } from './TemplateCard';

export function TemplatesPage() {
  const { t } = useTranslation();
  const templates = useTemplates();
  const make = (
    <ButtonLink to="/templates/new" variant="contained">
      {t('templates.new')}
    </ButtonLink>
  );
  return (
    <>
      <PageHead title={t('templates.title')} lead={t('templates.lead')} actions={make} />
      {templates.error && <ErrorNote error={templates.error} onRetry={templates.refetch} />}
      {templates.isPending && <Loading />}
      {templates.data?.length === 0 && <EmptyNote title={t('templates.empty')}>{t('templates.emptyHint')}</EmptyNote>}
      <Stack component="ul" spacing={1.5} sx={{ m: 0, p: 0, listStyle: 'none' }}>
        {templates.data?.map((template) => (
          <li key={template.id}>
            <TemplateCard template={template} />
          </li>
        ))}
      </Stack>
    </>
  );
}
