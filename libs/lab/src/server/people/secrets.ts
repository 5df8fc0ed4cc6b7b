import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits behind a prefix that says what they are: `blt_` a token, `bls_` a session, `bli_` an invitation. */
export function newSecret(prefix: 'blt_' | 'bls_' | 'bli_'): string {
  return prefix + randomBytes(32).toString('base64url');
}

/** A secret for a token. */
export const newToken = (): string => newSecret('blt_');

/** What is kept of a secret. One round suffices: nobody guesses 256 random bits, and it must be found by this value. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');
