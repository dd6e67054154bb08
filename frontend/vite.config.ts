import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The development server stands in for the gateway, and passes on what belongs to it.
const gateway = process.env.IMPUTEHUB_GATEWAY_URL ?? 'http://127.0.0.1:8000';
const proxy = Object.fromEntries(
  ['/api', '/admin', '/docs', '/openapi.json'].map((path) => [path, { target: gateway, ws: path === '/api' }]),
);

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      '@tests': fileURLToPath(new URL('./tests', import.meta.url)),
      '@': fileURLToPath(new URL('./src', import.meta.url)),
    },
  },
  server: { host: '127.0.0.1', port: 3000, proxy },
  preview: { host: '127.0.0.1', port: 3000, proxy },
  build: {
    // Nothing is inlined, so that a content security policy without `data:` scripts and styles holds.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['./tests/setup.ts'],
    maxWorkers: 2,
    testTimeout: 30_000,
    restoreMocks: true,
  },
});
