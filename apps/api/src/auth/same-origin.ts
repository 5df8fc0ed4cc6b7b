import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a request comes from the lab's own pages, or from no web page at all. Browsers say so in Sec-Fetch-Site (Fetch
 * Metadata), over plain HTTP only in Origin; what is no browser sends neither, and carries nobody else's cookies.
 * @param publicUrl origin under which browsers see the lab, when a proxy changes the Host header
 */
export function isSameOrigin(headers: IncomingHttpHeaders, publicUrl: string | undefined): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const { origin } = headers;
  if (origin === undefined || origin === publicUrl) return true;
  return URL.canParse(origin) && new URL(origin).host === headers.host;
}
