import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/**
 * Console bytes come from guests nobody trusts: the built page runs and contacts nothing but the lab it came from.
 * Inline styles are xterm.js's; the development server's own inline scripts are why this is for builds only.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join('; ');

function contentSecurityPolicy(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: CONTENT_SECURITY_POLICY },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** `npm run dev -w @bootlab/web` shows the pages from source against a lab that is already running. */
const lab = process.env['BOOTLAB_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), contentSecurityPolicy()],
  server: { proxy: { '/api': { target: lab, ws: true } } },
  build: { sourcemap: true, chunkSizeWarningLimit: 700 },
});
