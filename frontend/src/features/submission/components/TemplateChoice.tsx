import Alert from '@mui/material/Alert';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import { useTranslation } from 'react-i18next';

import type { Panel } from '@/shared/catalogue/queries';
import { Section } from '@/shared/ui/Section';

import { type Template, useTemplates } from '@/features/submission/api/templates';

interface Props {
  chosen: Template | null;
  panels: Panel[];
  onChoose: (template: Template | null) => void;
}

/** What the next steps begin with. */
export function TemplateChoice({ chosen, panels, onChoose }: Props) {
  const { t } = useTranslation();
  const templates = useTemplates().data ?? [];
  if (templates.length === 0) return null;
  const gone = countGone(chosen, panels);
  return (
    <Section title={t('templates.start')}>
      <TextField
        select
        label={t('templates.one')}
        value={templates.some((template) => template.id === chosen?.id) ? chosen?.id : ''}
        onChange={(event) => onChoose(templates.find((template) => template.id === event.target.value) ?? null)}
        helperText={t('templates.startHint')}
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        sx={{ mt: 1, maxWidth: 640 }}
      >
        <MenuItem value="">{t('templates.none')}</MenuItem>
        {templates.map((template) => (
          <MenuItem key={template.id} value={template.id}>
            {template.name}
          </MenuItem>
        ))}
      </TextField>
      {gone > 0 && (
        <Alert severity="warning" sx={{ mt: 2 }}>
          {t('templates.gone', { count: gone })}
        </Alert>
      )}
    </Section>
  );
}

function countGone(template: Template | null, panels: Panel[]): number {
  const wanted = (template?.targets ?? []).flatMap((target) => [target, ...target.alternates]);
  return panels.length === 0 ? 0 : wanted.filter((one) => panels.every((panel) => panel.id !== one.panel_id)).length;
}
