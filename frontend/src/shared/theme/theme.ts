import { createTheme } from '@mui/material/styles';

/**
 * The look of a calm instrument: spruce housing, a paper-grey face, thin rules, figures in a fixed pitch, and amber
 * for one thing only: what is being filled in. Contrasts are at least 4.5:1 for text.
 */
export const colours = {
  spruce: '#12312f',
  spruceSoft: '#1d4744',
  pine: '#1f6058',
  mist: '#9dbdb6',
  face: '#f3f5f2',
  rule: '#d5dcd6',
  ink: '#15231f',
  inkSoft: '#4d5d57',
  amber: '#e0922f',
  amberInk: '#8a4f06',
  good: '#2b6e3f',
  bad: '#a3312a',
} as const;

export const MONO = '"IBM Plex Mono", ui-monospace, monospace';
const SANS = '"IBM Plex Sans Variable", system-ui, sans-serif';

const hairline = `1px solid ${colours.rule}`;

export const theme = createTheme({
  palette: {
    primary: { main: colours.pine, dark: colours.spruce, light: '#4d887f', contrastText: '#ffffff' },
    secondary: { main: colours.amberInk, light: colours.amber },
    success: { main: colours.good },
    warning: { main: colours.amberInk },
    error: { main: colours.bad },
    info: { main: '#31566f' },
    background: { default: colours.face, paper: '#ffffff' },
    text: { primary: colours.ink, secondary: colours.inkSoft },
    divider: colours.rule,
  },
  shape: { borderRadius: 4 },
  typography: {
    fontFamily: SANS,
    h1: { fontSize: '1.75rem', fontWeight: 600, letterSpacing: '-0.015em', lineHeight: 1.2 },
    h2: { fontSize: '1.125rem', fontWeight: 600, letterSpacing: '-0.005em' },
    h3: { fontSize: '1rem', fontWeight: 600 },
    body2: { fontSize: '0.875rem' },
    button: { textTransform: 'none', fontWeight: 600 },
    overline: { fontFamily: MONO, fontSize: '0.6875rem', letterSpacing: '0.08em', lineHeight: 1.6 },
    caption: { fontSize: '0.8125rem' },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        body: { fontVariantNumeric: 'tabular-nums' },
        '*:focus-visible': { outline: `2px solid ${colours.amber}`, outlineOffset: 2 },
        '@media (prefers-reduced-motion: reduce)': {
          '*, *::before, *::after': { animation: 'none !important', transition: 'none !important' },
        },
      },
    },
    MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: 'none' } } },
    MuiCard: { defaultProps: { variant: 'outlined' }, styleOverrides: { root: { borderColor: colours.rule } } },
    MuiButton: {
      defaultProps: { disableElevation: true },
      styleOverrides: { root: { minHeight: 40, paddingInline: 16 } },
    },
    MuiTableCell: {
      styleOverrides: {
        root: {
          borderBottom: hairline,
          // First and last in their row, whatever their element: a row that begins with a `th` has a first `td` too.
          '&:not(* + *)': { paddingLeft: 24 },
          '&:not(:has(+ *))': { paddingRight: 24 },
          'tbody tr:last-of-type > &': { borderBottom: 0 },
        },
        head: {
          fontFamily: MONO,
          fontSize: '0.6875rem',
          letterSpacing: '0.06em',
          color: colours.inkSoft,
          whiteSpace: 'nowrap',
        },
      },
    },
    MuiChip: { styleOverrides: { root: { borderRadius: 3, fontWeight: 500 } } },
    MuiAlert: { styleOverrides: { root: { border: hairline, alignItems: 'flex-start' } } },
    MuiLink: { defaultProps: { underline: 'hover' }, styleOverrides: { root: { fontWeight: 500 } } },
    MuiTextField: { defaultProps: { fullWidth: true, size: 'small' } },
    MuiOutlinedInput: { styleOverrides: { root: { backgroundColor: '#ffffff' } } },
  },
});
