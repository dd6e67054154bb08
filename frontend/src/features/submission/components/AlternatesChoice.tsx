import CloseOutlined from '@mui/icons-material/CloseOutlined';
import Box from '@mui/material/Box';
import IconButton from '@mui/material/IconButton';
import MenuItem from '@mui/material/MenuItem';
import TextField from '@mui/material/TextField';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import type { Panel } from '@/shared/catalogue/queries';
import { formatDuration } from '@/shared/format/units';

import type { Choice } from '@/features/submission/api/draft';

interface Props {
  /** Whose alternates these are. */
  name: string;
  choice: Choice;
  /** Panels that could be taken in its place. */
  compatible: Panel[];
  onChange: (choice: Choice) => void;
}

const MOST = 5;
/** Seconds. */
const PATIENCES = [0, 900, 3_600, 21_600, 86_400];

const label = (panel: Panel) => `${panel.name} · ${panel.service_name}`;

/** Where a run goes on when its site cannot take it, best first. */
export function AlternatesChoice({ name, choice, compatible, onChange }: Props) {
  const { t, i18n } = useTranslation();
  const { alternateIds, patience } = choice;
  const chosen = alternateIds.flatMap((id) => compatible.filter((panel) => panel.id === id));
  const left = compatible.filter((panel) => !alternateIds.includes(panel.id));
  if (compatible.length === 0) return null;
  const remove = (id: string) => onChange({ ...choice, alternateIds: alternateIds.filter((other) => other !== id) });
  const patiences = PATIENCES.includes(patience) ? PATIENCES : [...PATIENCES, patience].sort((a, b) => a - b);
  return (
    <Box role="group" aria-label={t('alternates.of', { name })} sx={{ pl: { xs: 0, sm: 4 }, pt: 1, pb: 1 }}>
      {chosen.length > 0 && (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('alternates.lead')}
        </Typography>
      )}
      <Box component="ol" sx={{ m: 0, pl: 2.5 }}>
        {chosen.map((panel) => (
          <Box component="li" key={panel.id} sx={{ overflowWrap: 'anywhere' }}>
            {label(panel)}
            <IconButton
              size="small"
              aria-label={t('alternates.remove', { name: panel.name })}
              onClick={() => remove(panel.id)}
              sx={{ ml: 0.5 }}
            >
              <CloseOutlined fontSize="small" />
            </IconButton>
          </Box>
        ))}
      </Box>
      <Box sx={{ display: 'grid', gap: 1.5, mt: 1.5, gridTemplateColumns: { xs: '1fr', sm: '1.4fr 1fr' } }}>
        {left.length > 0 && chosen.length < MOST && (
          <TextField
            select
            label={t(chosen.length > 0 ? 'alternates.more' : 'alternates.first')}
            value=""
            onChange={(event) => onChange({ ...choice, alternateIds: [...alternateIds, event.target.value] })}
          >
            {left.map((panel) => (
              <MenuItem key={panel.id} value={panel.id} sx={{ whiteSpace: 'normal' }}>
                {label(panel)}
              </MenuItem>
            ))}
          </TextField>
        )}
        {chosen.length > 0 && (
          <TextField
            select
            label={t('alternates.patience')}
            value={patience}
            onChange={(event) => onChange({ ...choice, patience: Number(event.target.value) })}
          >
            {patiences.map((seconds) => (
              <MenuItem key={seconds} value={seconds}>
                {seconds === 0 ? t('alternates.atOnce') : formatDuration(seconds, i18n.language, 1)}
              </MenuItem>
            ))}
          </TextField>
        )}
      </Box>
    </Box>
  );
}
