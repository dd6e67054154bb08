import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useCatalogueNames } from '@/shared/catalogue/queries';
import { nameCountries } from '@/shared/format/countries';
import { Confirmation } from '@/shared/ui/Confirmation';
import { ButtonLink } from '@/shared/ui/links';
import { ListCard } from '@/shared/ui/ListCard';

import { type Template, useDeleteTemplate } from '@/features/submission/api/templates';

/** What a template says, in two lines; only its owner changes it. */
export function TemplateCard({ template }: { template: Template }) {
  const { t, i18n } = useTranslation();
  const { nameSite, namePanel } = useCatalogueNames();
  const countries = template.residency?.countries ?? [];
  const targets = (template.targets ?? []).map(
    (target) => `${namePanel(target.panel_id)} · ${nameSite(target.service_id)}`,
  );
  const facts = [
    template.build,
    template.population,
    template.phasing && t(`newJob.phasings.${template.phasing}`),
    template.priority &&
      template.priority !== 'normal' &&
      t('newJob.priorityIs', { name: t(`newJob.priorities.${template.priority}`) }),
    countries.length > 0 && t('residency.onlyIn', { countries: nameCountries(countries, i18n.language) }),
  ].filter(Boolean);
  const owner = template.is_own ? (template.shared ? t('templates.shared') : '') : t('templates.foreign');
  return (
    <ListCard columns="minmax(0, 1fr) auto">
      <Box sx={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <Typography variant="h3" component="h2">
          {template.name}
        </Typography>
        <Typography variant="body2">{targets.join(', ') || t('templates.noPanels')}</Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {facts.join(' · ')}
        </Typography>
        {owner && (
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {owner}
          </Typography>
        )}
      </Box>
      <TemplateActions template={template} />
    </ListCard>
  );
}

function TemplateActions({ template }: { template: Template }) {
  const { t } = useTranslation();
  const [asked, setAsked] = useState(false);
  const remove = useDeleteTemplate();
  return (
    <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, pt: { xs: 1, md: 0 } }}>
      <ButtonLink to={`/jobs/new?template=${template.id}`} variant="outlined">
        {t('templates.use')}
      </ButtonLink>
      {template.is_own && (
        <>
          <ButtonLink to={`/templates/${template.id}`}>{t('templates.edit')}</ButtonLink>
          <Button color="error" onClick={() => setAsked(true)}>
            {t('templates.delete')}
          </Button>
        </>
      )}
      {asked && (
        <Confirmation
          title={t('templates.deleteAsk', { name: template.name })}
          means={t('templates.deleteMeans')}
          yes={t('templates.delete')}
          error={remove.error}
          pending={remove.isPending}
          onNo={() => setAsked(false)}
          onYes={() => remove.mutate(template.id, { onSuccess: () => setAsked(false) })}
        />
      )}
    </Box>
  );
}
