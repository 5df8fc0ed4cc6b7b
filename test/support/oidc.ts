// An OpenID provider of one's own: the real protocol with the library's own pages, where any login and password will do.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jest } from '@jest/globals';
import Provider from 'oidc-provider';

export const OIDC_CLIENT = { id: 'bootlab', secret: 'a secret between the two' } as const;
/** Where the lab wants its people back, below its public address. */
export const OIDC_CALLBACK = '/api/v1/session/oidc/callback';

export interface OidcProvider {
  /** On `localhost`: for a browser that is another site than a lab at 127.0.0.1. */
  issuer: string;
  server: Server;
  /** Begins to answer, for the lab at this address, which need not exist yet. */
  serve(labUrl: string): void;
  stop(): void;
}

/** Listens; people are called "Dr. <login>", and prefer the user name "<login> Example". */
export async function startOidcProvider(): Promise<OidcProvider> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Its type is that of every server; one that listens on TCP has a port.
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const serve = (labUrl: string): void => {
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined); // it says that it is no production set-up
    const oidc = new Provider(issuer, {
      clients: [
        { client_id: OIDC_CLIENT.id, client_secret: OIDC_CLIENT.secret, redirect_uris: [`${labUrl}${OIDC_CALLBACK}`] },
      ],
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
      findAccount: (_context, id) => ({
        accountId: id,
        claims: () => ({ sub: id, name: `Dr. ${id}`, preferred_username: `${id} Example` }),
      }),
    });
    warn.mockRestore();
    server.on('request', (request, response) => void oidc.callback()(request, response));
  };
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { issuer, server, serve, stop };
}
