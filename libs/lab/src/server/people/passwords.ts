import { hash, verify } from '@node-rs/argon2';

// OWASP's second recommendation for Argon2id (Password Storage Cheat Sheet): 46 MiB, one pass.
const PARAMETERS = { memoryCost: 47_104, timeCost: 1, parallelism: 1 };

/** The password as Argon2id in PHC format, salted. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), PARAMETERS);
}

let nobodysHash: Promise<string> | undefined;

/**
 * Whether the password is the one behind `passwordHash`. Without a hash it takes as long and is false, so that the time
 * does not tell who has an account.
 */
export async function passwordMatches(password: string, passwordHash: string | null | undefined): Promise<boolean> {
  nobodysHash ??= hashPassword('nobody has this password');
  const matches = await verify(passwordHash ?? (await nobodysHash), password.normalize('NFKC'));
  return matches && typeof passwordHash === 'string';
}
