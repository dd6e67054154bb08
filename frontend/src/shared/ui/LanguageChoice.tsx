import ToggleButton from '@mui/material/ToggleButton';
import ToggleButtonGroup from '@mui/material/ToggleButtonGroup';
import { useTranslation } from 'react-i18next';

import { chooseLanguage, type Language, LANGUAGES } from '@/shared/i18n';

// In the colours of whatever it stands on: the dark side bar or the light pages.
const look = {
  px: 1.25,
  py: 0.25,
  color: 'inherit',
  borderColor: 'currentColor',
  opacity: 0.8,
  '&.Mui-selected, &.Mui-selected:hover': {
    color: 'inherit',
    bgcolor: 'transparent',
    opacity: 1,
    boxShadow: 'inset 0 -3px 0 currentColor',
  },
};

export function LanguageChoice() {
  const { t, i18n } = useTranslation();
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      value={i18n.language}
      aria-label={t('common.language')}
      onChange={(_, language: Language | null) => language && void chooseLanguage(language)}
    >
      {Object.entries(LANGUAGES).map(([code, name]) => (
        <ToggleButton key={code} value={code} lang={code} aria-label={`${code.toUpperCase()}, ${name}`} sx={look}>
          {code.toUpperCase()}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
