import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';

import { usePanels, useSites } from '@/shared/catalogue/queries';
import { ErrorNote } from '@/shared/ui/ErrorNote';
import { Loading } from '@/shared/ui/Loading';
import { PageError } from '@/shared/ui/PageError';
import { PageHead } from '@/shared/ui/PageHead';

import {
  type Draft,
  emptyDraft,
  fillDraft,
  findTargets,
  listPanels,
  type Parameters,
  suggestParameters,
  toSettings,
} from '@/features/submission/api/draft';
import { type Template, useSaveTemplate, useTemplate } from '@/features/submission/api/templates';

import { ParametersStep } from './ParametersStep';
import { ShareChoice } from './ShareChoice';
import { TargetsStep } from './TargetsStep';

/** `templateId` absent: a new one. */
export function TemplatePage() {
  const { templateId = null } = useParams();
  const template = useTemplate(templateId);
  if (template.error) return <PageError error={template.error} onRetry={template.refetch} />;
  return template.isLoading ? <Loading rows={4} /> : <Editor template={template.data ?? null} />;
}

/** What stands in the steps of a new job, on one page. */
function Editor({ template }: { template: Template | null }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const panels = usePanels().data ?? [];
  const sites = useSites().data ?? [];
  const save = useSaveTemplate(template?.id ?? null);
  const [draft, setDraft] = useState<Draft>(template === null ? emptyDraft : fillDraft(emptyDraft, template));
  const [shared, setShared] = useState(template?.shared ?? false);
  const build = draft.build ?? 'hg38';
  const targets = findTargets(draft, build, panels, sites);

  const keep = (parameters: Parameters) => {
    const settings = toSettings(parameters, build, draft.countries, targets);
    const body = { ...settings, targets: targets.length > 0 ? settings.targets : null, name: parameters.name, shared };
    save.mutate(body, { onSuccess: () => void navigate('/templates') });
  };

  return (
    <>
      <PageHead title={template === null ? t('templates.new') : template.name} lead={t('templates.lead')} />
      <TargetsStep
        panels={panels}
        draft={draft}
        build={build}
        onChange={(part) => setDraft((before) => ({ ...before, ...part }))}
      />
      {save.error && <ErrorNote error={save.error} />}
      <ParametersStep
        value={draft.parameters ?? suggestParameters(false)}
        panels={listPanels(targets)}
        done={t('templates.save')}
        pending={save.isPending}
        onBack={() => void navigate('/templates')}
        onDone={keep}
      >
        <ShareChoice shared={shared} onChange={setShared} />
      </ParametersStep>
    </>
  );
}
