import Button, { type ButtonProps } from '@mui/material/Button';
import MuiLink, { type LinkProps } from '@mui/material/Link';
import { Link as RouterLink } from 'react-router';

type TextLinkProps = Omit<LinkProps, 'href' | 'component' | 'ref'> & { to: string };

export const TextLink = (props: TextLinkProps) => <MuiLink component={RouterLink} {...props} />;

type ButtonLinkProps = Pick<ButtonProps, 'children' | 'variant' | 'sx'> & { to: string };

export const ButtonLink = (props: ButtonLinkProps) => <Button component={RouterLink} {...props} />;
