import TextField, { type TextFieldProps } from '@mui/material/TextField';

import { MONO } from '@/shared/theme/theme';

const input = { maxLength: 64, spellCheck: false, autoCapitalize: 'none', style: { fontFamily: MONO } };

/** For a code of the app; browsers and password managers know it by `one-time-code`. */
export const CodeField = (props: TextFieldProps) => (
  <TextField autoComplete="one-time-code" slotProps={{ htmlInput: input }} {...props} />
);
