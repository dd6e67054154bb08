import Box from '@mui/material/Box';
import Checkbox from '@mui/material/Checkbox';
import FormControlLabel from '@mui/material/FormControlLabel';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

import type { Panel } from '@/shared/catalogue/queries';
import { formatCount } from '@/shared/format/units';

interface Props {
  panel: Panel;
  checked: boolean;
  disabled: boolean;
  onToggle: () => void;
  /** What there is to say once it is chosen. */
  children: ReactNode;
}

export function PanelChoice({ panel, checked, disabled, onToggle, children }: Props) {
  const { t, i18n } = useTranslation();
  const facts = [
    panel.samples_count !== null && `${formatCount(panel.samples_count, i18n.language)} ${t('newJob.panelSamples')}`,
    panel.variants_count !== null && `${formatCount(panel.variants_count, i18n.language)} ${t('newJob.panelVariants')}`,
    panel.populations.join(', '),
  ].filter(Boolean);
  return (
    <Box sx={{ borderTop: 1, borderColor: 'divider', py: 0.75 }}>
      <FormControlLabel
        control={<Checkbox checked={checked} onChange={onToggle} />}
        disabled={disabled}
        label={
          <>
            <Typography component="span" sx={{ fontWeight: 600, overflowWrap: 'anywhere' }}>
              {panel.name}
            </Typography>
            <Typography
              component="span"
              variant="body2"
              sx={{ display: 'block', color: disabled ? 'inherit' : 'text.secondary' }}
            >
              {facts.join(' · ')}
            </Typography>
          </>
        }
      />
      {checked && !disabled && children}
    </Box>
  );
}
