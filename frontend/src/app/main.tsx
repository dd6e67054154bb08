import '@fontsource-variable/ibm-plex-sans/index.css';
import '@fontsource/ibm-plex-mono/latin-400.css';
import '@fontsource/ibm-plex-mono/latin-600.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import * as z from 'zod';

import { startTranslation } from '@/shared/i18n';

import { App } from './App';

// zod compiles schemas with `new Function` where it may; the content security policy does not let it.
z.config({ jitless: true });

const root = document.getElementById('root');
if (root) {
  void startTranslation().then(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
}
