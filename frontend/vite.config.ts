import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The development server stands in for the gateway, and passes on what belongs to it.
const gateway = process.env.IMPUTEHUB_GATEWAY_URL ?? 'http://127.0.0.1:8000';
const proxy = Object.fromEntries(
  ['/api', '/admin', '/docs', '/openapi.json'].map((path) => [
    path,
    { target: gateway, ...(path === '/api' && { ws: true, changeOrigin: true, rewriteWsOrigin: true }) },
  ]),
);

// What the gateway sends with the pages. Styles are made by scripts (emotion), which needs 'unsafe-inline' for them alone.
const policy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      '@tests': fileURLToPath(new URL('./tests', import.meta.url)),
      '@': fileURLToPath(new URL('./src', import.meta.url)),
    },
  },
  server: { host: '127.0.0.1', port: 3000, proxy },
  preview: { host: '127.0.0.1', port: 3000, proxy, headers: { 'Content-Security-Policy': policy } },
  build: {
    // Nothing is inlined, so that a content security policy without `data:` scripts and styles holds.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['./tests/setup.ts'],
    maxWorkers: 2,
    // Modules are loaded once for all files; `tests/setup.ts` puts back what a test changes in them.
    isolate: false,
    testTimeout: 30_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
