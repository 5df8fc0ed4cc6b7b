import { Inject, Injectable, Logger } from '@nestjs/common';
import { Identities, InvitationStore, LoginTakenError, ProjectStore, UserStore } from '@bootlab/lab/server';
import * as client from 'openid-client';
import { z } from 'zod';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { notFound, ProblemError } from '../problem/problem.js';

export const OIDC_PATH = '/api/v1/session/oidc';
const CALLBACK = `${OIDC_PATH}/callback`;
const LOGINS_TO_TRY = 50;

/** What a browser keeps while its person is at the provider: nothing else ties the answer to who asked. */
export const pendingSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** The invitation that somebody who comes for the first time has. */
  invitation: z.string().optional(),
});
export type PendingSignIn = z.infer<typeof pendingSchema>;

/** Why nobody was signed in, as the sign-in page gets to know it. */
export type OidcRefusal = 'cancelled' | 'failed' | 'unknown' | 'invitation';

type Profile = { issuer: string; subject: string; name: string; login: string };

/** Signs people in through an OpenID provider: authorization code flow with PKCE, state and nonce. */
@Injectable()
export class OidcService {
  private readonly logger = new Logger(OidcService.name);
  private discovered: Promise<client.Configuration> | undefined;

  constructor(
    private readonly users: UserStore,
    private readonly projects: ProjectStore,
    private readonly invitations: InvitationStore,
    private readonly identities: Identities,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  /** Where to send the browser, and what it must bring back. @throws ProblemError 404, 503 */
  async begin(invitation: string | undefined): Promise<{ url: string; pending: PendingSignIn }> {
    const provider = await this.provider();
    const verifier = client.randomPKCECodeVerifier();
    const pending = { state: client.randomState(), nonce: client.randomNonce(), verifier, invitation };
    const url = client.buildAuthorizationUrl(provider, {
      redirect_uri: `${this.config.publicUrl}${CALLBACK}`,
      scope: 'openid profile',
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    });
    return { url: url.href, pending };
  }

  /**
   * Whom the provider vouches for: known, or let in by an invitation or the lab's settings.
   * @param path the request that the browser came back with, query included
   */
  async finish(path: string, pending: PendingSignIn): Promise<{ userId: string } | { refusal: OidcRefusal }> {
    let profile: Profile;
    try {
      profile = await this.profile(new URL(path, this.config.publicUrl), pending);
    } catch (error) {
      this.logger.warn(
        `Sign-in through the provider failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      const denied = error instanceof client.AuthorizationResponseError && error.error === 'access_denied';
      return { refusal: denied ? 'cancelled' : 'failed' };
    }
    const known = await this.users.withSubject(profile.issuer, profile.subject);
    if (known) return this.welcome(known.id, pending);
    return this.admit(profile, pending);
  }

  /** Somebody known may bring an invitation into a further project. */
  private async welcome(userId: string, { invitation }: PendingSignIn) {
    if (invitation === undefined) return { userId };
    const joined = await this.invitations.join(invitation, () => Promise.resolve(userId));
    return joined ? { userId } : { refusal: 'invitation' as const };
  }

  private async admit(
    profile: Profile,
    { invitation }: PendingSignIn,
  ): Promise<{ userId: string } | { refusal: OidcRefusal }> {
    if (invitation !== undefined) {
      const joined = await this.withFreeLogin(profile.login, (login) =>
        this.invitations.join(invitation, async (tx) => (await this.users.create(newUser(profile, login), tx)).id),
      );
      return joined ? { userId: joined.userId } : { refusal: 'invitation' };
    }
    const join = this.config.oidc?.join;
    const project = join && (await this.identities.projectNamed(join.project));
    if (!join || !project) return { refusal: 'unknown' };
    const user = await this.withFreeLogin(profile.login, (login) => this.users.create(newUser(profile, login)));
    await this.projects.join(project.id, user.id, join.role);
    return { userId: user.id };
  }

  /** The provider's name for somebody, with a number behind it when somebody else has it here. */
  private async withFreeLogin<T>(wanted: string, make: (login: string) => Promise<T>): Promise<T> {
    for (let number = 1; ; number++) {
      try {
        return await make(number === 1 ? wanted : `${wanted}-${number}`);
      } catch (error) {
        if (!(error instanceof LoginTakenError) || number === LOGINS_TO_TRY) throw error;
      }
    }
  }

  private async profile(url: URL, { state, nonce, verifier }: PendingSignIn): Promise<Profile> {
    const provider = await this.provider();
    const tokens = await client.authorizationCodeGrant(provider, url, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new Error('the provider sent no ID token');
    const offersProfile = provider.serverMetadata().userinfo_endpoint !== undefined;
    const info = offersProfile ? await client.fetchUserInfo(provider, tokens.access_token, claims.sub) : claims;
    const text = (value: unknown): string => (typeof value === 'string' ? value.trim().slice(0, 100) : '');
    const login = text(info['preferred_username']) || text(info['email']).split('@')[0] || claims.sub;
    return {
      issuer: claims.iss,
      subject: claims.sub,
      name: text(info['name']) || login,
      login: slugOf(login),
    };
  }

  private provider(): Promise<client.Configuration> {
    const { oidc } = this.config;
    if (!oidc) throw notFound('other service to sign in through');
    const issuer = new URL(oidc.issuer);
    // The settings allow plain HTTP on this machine only.
    const insecure = issuer.protocol === 'http:' ? { execute: [client.allowInsecureRequests] } : {};
    const discovered = (this.discovered ??= client.discovery(
      issuer,
      oidc.clientId,
      oidc.clientSecret,
      undefined,
      insecure,
    ));
    return discovered.catch((error: unknown) => {
      this.discovered = undefined; // the next one asks again
      this.logger.error(`${oidc.issuer} does not describe itself`, error instanceof Error ? error.stack : error);
      throw new ProblemError(503, `${oidc.name} does not answer; sign in with a password or a token, or try again`);
    });
  }
}

const newUser = ({ issuer, subject, name }: Profile, login: string) => ({ login, name, oidc: { issuer, subject } });

/** A login as the lab writes them, made of whatever the provider has. */
function slugOf(text: string): string {
  const slug = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .slice(0, 50)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return slug === '' ? 'person' : slug;
}
