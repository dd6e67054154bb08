import Checkbox from '@mui/material/Checkbox';
import FormControlLabel from '@mui/material/FormControlLabel';
import { useTranslation } from 'react-i18next';

interface Props {
  shared: boolean;
  onChange: (shared: boolean) => void;
}

export function ShareChoice({ shared, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <FormControlLabel
      control={<Checkbox checked={shared} onChange={(_, checked) => onChange(checked)} />}
      label={t('templates.share')}
      sx={{ mt: 1 }}
    />
  );
}
