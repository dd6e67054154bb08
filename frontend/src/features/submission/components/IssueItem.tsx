import Alert from '@mui/material/Alert';
import Typography from '@mui/material/Typography';
import { useTranslation } from 'react-i18next';

import type { Issue } from '@/features/submission/api/queries';

export function IssueItem({ issue }: { issue: Issue }) {
  const { t } = useTranslation();
  return (
    <Alert component="li" role="listitem" severity={issue.severity} sx={{ '& .MuiAlert-message': { minWidth: 0 } }}>
      <Typography lang="en" sx={{ fontWeight: 600, overflowWrap: 'anywhere' }}>
        {issue.message}
      </Typography>
      <Typography variant="body2" sx={{ mt: 0.5, overflowWrap: 'anywhere' }}>
        <strong>{t('files.whatToDo')}</strong> <span lang="en">{issue.fix}</span>
      </Typography>
    </Alert>
  );
}
