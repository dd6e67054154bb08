import AddOutlined from '@mui/icons-material/AddOutlined';
import BookmarkBorderOutlined from '@mui/icons-material/BookmarkBorderOutlined';
import HubOutlined from '@mui/icons-material/HubOutlined';
import MonitorHeartOutlined from '@mui/icons-material/MonitorHeartOutlined';
import NotificationsOutlined from '@mui/icons-material/NotificationsOutlined';
import OpenInNewOutlined from '@mui/icons-material/OpenInNewOutlined';
import ScienceOutlined from '@mui/icons-material/ScienceOutlined';
import Box from '@mui/material/Box';
import Button from '@mui/material/Button';
import Typography from '@mui/material/Typography';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useMatch } from 'react-router';

import { logOut } from '@/features/accounts/api/logout';
import { useUnreadCount } from '@/features/notifications/api/queries';
import { mayCurate, mayOperate, useAccount } from '@/shared/api/account';
import { Brand } from '@/shared/ui/Brand';
import { LanguageChoice } from '@/shared/ui/LanguageChoice';
import { TextLink } from '@/shared/ui/links';

import { NavItem } from './NavItem';

interface Props {
  live?: ReactNode;
  onNavigate?: () => void;
}

export function SideBar({ live, onNavigate }: Props) {
  const { t } = useTranslation();
  const account = useAccount().data;
  // Every job's page belongs to the jobs, but for the one on which a new one is made.
  const onJobPage = useMatch('/jobs/:jobId')?.params.jobId !== 'new';
  const unread = useUnreadCount().data ?? 0;
  return (
    <Box sx={{ display: 'flex', flexDirection: 'column', minHeight: '100%', p: 2, gap: 3 }}>
      <Box sx={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', px: 1, pt: 1 }}>
        <Brand />
      </Box>
      <Box component="nav" aria-label={t('nav.main')} onClick={onNavigate}>
        <Box component="ul" sx={{ m: 0, p: 0, listStyle: 'none', display: 'grid', gap: 0.5 }}>
          <NavItem to="/jobs/new" icon={<AddOutlined />} label={t('nav.newJob')} />
          <NavItem to="/jobs" icon={<ScienceOutlined />} label={t('nav.jobs')} exact={!onJobPage} />
          <NavItem to="/templates" icon={<BookmarkBorderOutlined />} label={t('nav.templates')} />
          <NavItem to="/sites" icon={<HubOutlined />} label={t('nav.sites')} />
          <NavItem
            to="/notifications"
            icon={<NotificationsOutlined />}
            label={t('nav.notifications')}
            badge={unread > 0 ? { count: unread, label: t('nav.unread', { count: unread }) } : undefined}
          />
          {mayOperate(account) && (
            <NavItem to="/operations" icon={<MonitorHeartOutlined />} label={t('nav.operations')} />
          )}
          {mayCurate(account) && <NavItem href="/admin/" icon={<OpenInNewOutlined />} label={t('nav.curation')} />}
        </Box>
      </Box>
      <Box sx={{ mt: 'auto', px: 1, display: 'grid', gap: 1.5 }}>
        <Box sx={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center' }}>
          {live}
          <LanguageChoice />
        </Box>
        {account && (
          <Box sx={{ borderTop: '1px solid #2f5652', pt: 1.5 }}>
            <TextLink
              to="/account"
              color="inherit"
              underline="hover"
              title={t('account.title')}
              {...(onNavigate && { onClick: onNavigate })}
              sx={{ display: 'block', fontWeight: 600, overflowWrap: 'anywhere' }}
            >
              {account.full_name}
            </TextLink>
            <Typography variant="caption" component="div" sx={{ color: '#c3d6d0', overflowWrap: 'anywhere' }}>
              {account.organization.name}
            </Typography>
          </Box>
        )}
        <Button
          color="inherit"
          variant="outlined"
          size="small"
          onClick={() => void logOut()}
          sx={{ borderColor: '#4d716c' }}
        >
          {t('nav.logOut')}
        </Button>
      </Box>
    </Box>
  );
}
