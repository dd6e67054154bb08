import Box from '@mui/material/Box';
import type { ReactNode } from 'react';
import { NavLink } from 'react-router';

import { colours, MONO } from '@/shared/theme/theme';

interface Props {
  icon: ReactNode;
  label: string;
  to?: string;
  /** A page that is not of this application. */
  href?: string;
  exact?: boolean;
  badge?: { count: number; label: string } | undefined;
}

const look = {
  display: 'flex',
  alignItems: 'center',
  gap: 1.5,
  px: 1.25,
  minHeight: 44,
  borderRadius: 1,
  color: '#dbe7e3',
  textDecoration: 'none',
  fontWeight: 500,
  '& svg': { fontSize: 20 },
  '&:hover': { bgcolor: colours.spruceSoft },
  '&[aria-current="page"]': {
    bgcolor: colours.spruceSoft,
    color: '#ffffff',
    boxShadow: `inset 3px 0 0 ${colours.amber}`,
  },
};

export function NavItem({ icon, label, to, href, exact = false, badge }: Props) {
  const content = (
    <>
      <Box component="span" aria-hidden="true" sx={{ display: 'inline-flex' }}>
        {icon}
      </Box>
      {label}
      {badge && (
        <Box
          component="span"
          sx={{
            ml: 'auto',
            px: 0.75,
            borderRadius: 1,
            bgcolor: colours.amber,
            color: colours.ink,
            fontFamily: MONO,
            fontSize: '0.75rem',
            fontWeight: 600,
          }}
        >
          <span aria-hidden="true">{badge.count}</span>
          <Box
            component="span"
            sx={{ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }}
          >
            {badge.label}
          </Box>
        </Box>
      )}
    </>
  );
  return (
    <li>
      {to === undefined ? (
        <Box component="a" href={href} sx={look}>
          {content}
        </Box>
      ) : (
        <Box component={NavLink} to={to} end={exact} sx={look}>
          {content}
        </Box>
      )}
    </li>
  );
}
