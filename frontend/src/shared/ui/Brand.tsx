import Box from '@mui/material/Box';

/** The name with its mark: two typed sites above, the imputed row below. */
export function Brand() {
  return (
    <Box
      component="span"
      sx={{ display: 'inline-flex', alignItems: 'center', gap: 1.25, fontWeight: 600, fontSize: '1.0625rem' }}
    >
      <svg width="24" height="20" viewBox="0 0 24 20" aria-hidden="true">
        <g strokeWidth="2.4" strokeLinecap="round">
          <path stroke="#7fa8a0" d="M3 2v6M15 2v6" />
          <path stroke="#f2a33a" d="M3 12v6M7.5 12v6M12 12v6M16.5 12v6M21 12v6" />
        </g>
      </svg>
      ImputeHub
    </Box>
  );
}
