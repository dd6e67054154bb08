import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import { useCatalogueNames } from '@/shared/catalogue/queries';
import { formatClock } from '@/shared/format/units';
import { ErrorNote } from '@/shared/ui/ErrorNote';

import { type Run, useMove } from '@/features/jobs/api/queries';

/** Where the run would go on; one who does not want to wait sends it there. */
export function AlternatesNote({ jobId, run }: { jobId: string; run: Run }) {
  const { t, i18n } = useTranslation();
  const { nameSite, namePanel } = useCatalogueNames();
  const move = useMove(jobId, run.id);
  const names = run.alternates.map((one) => `${namePanel(one.panel_id)} · ${nameSite(one.service_id)}`);
  const mayMove = run.cancel_requested_at === null && run.status !== 'collecting';
  if (run.move_requested_at !== null)
    return <Typography>{t('run.moving', { at: formatClock(run.move_requested_at, i18n.language) })}</Typography>;
  return (
    <>
      <Box sx={{ display: 'flex', flexWrap: 'wrap', alignItems: 'center', columnGap: 2, rowGap: 0.5 }}>
        <Typography sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
          {t('alternates.lead')} {names.join(', ')}
        </Typography>
        {mayMove && (
          <Button size="small" loading={move.isPending} onClick={() => move.mutate()}>
            {t('run.move')}
          </Button>
        )}
      </Box>
      {move.error && <ErrorNote error={move.error} />}
    </>
  );
}
