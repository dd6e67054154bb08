import MenuIcon from '@mui/icons-material/Menu';
import Box from '@mui/material/Box';
import Drawer from '@mui/material/Drawer';
import IconButton from '@mui/material/IconButton';
import Link from '@mui/material/Link';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Outlet } from 'react-router';

import { useLiveChannel } from '@/features/live/api/useLiveChannel';
import { LiveMark } from '@/features/live/components/LiveMark';
import { colours } from '@/shared/theme/theme';
import { Brand } from '@/shared/ui/Brand';

import { SideBar } from './SideBar';

const WIDTH = 248;
const drawerPaper = { paper: { sx: { width: WIDTH, bgcolor: colours.spruce, color: '#eef4f1', border: 0 } } };

/** The frame around every page: the side bar on wide screens, a top bar with a drawer on narrow ones. */
export function Shell() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const live = <LiveMark state={useLiveChannel()} />;
  return (
    <Box sx={{ display: 'flex', minHeight: '100dvh' }}>
      <Link
        href="#main"
        sx={{
          position: 'fixed',
          zIndex: 2000,
          top: 8,
          left: -999,
          '&:focus': { left: 8, bgcolor: 'background.paper', p: 1 },
        }}
      >
        {t('nav.skip')}
      </Link>
      <Drawer
        variant="permanent"
        component="aside"
        aria-label={t('nav.menu')}
        sx={{ display: { xs: 'none', md: 'block' }, width: WIDTH }}
        slotProps={drawerPaper}
      >
        <SideBar live={live} />
      </Drawer>
      <Drawer
        open={open}
        onClose={() => setOpen(false)}
        sx={{ display: { md: 'none' } }}
        slotProps={{ paper: { ...drawerPaper.paper, 'aria-label': t('nav.menu') } }}
      >
        <SideBar live={live} onNavigate={() => setOpen(false)} />
      </Drawer>
      <Box sx={{ flex: 1, minWidth: 0, display: 'flex', flexDirection: 'column' }}>
        <Box
          component="header"
          sx={{
            display: { xs: 'flex', md: 'none' },
            alignItems: 'center',
            justifyContent: 'space-between',
            bgcolor: colours.spruce,
            color: '#eef4f1',
            px: 1.5,
            py: 1,
          }}
        >
          <Brand />
          <IconButton color="inherit" aria-label={t('nav.menu')} aria-expanded={open} onClick={() => setOpen(true)}>
            <MenuIcon />
          </IconButton>
        </Box>
        <Box
          component="main"
          id="main"
          tabIndex={-1}
          sx={{
            width: '100%',
            maxWidth: 1160,
            mx: 'auto',
            px: { xs: 2, sm: 3, md: 5 },
            py: { xs: 3, md: 5 },
            outline: 'none',
          }}
        >
          <Outlet />
        </Box>
      </Box>
    </Box>
  );
}
