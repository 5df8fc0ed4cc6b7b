import { z } from 'zod';
import { pageQuerySchema } from './job.js';

/** What a request may do. `operator` is lab-wide; the others hold within one project. */
export const scopeSchema = z.enum(['read', 'submit', 'images', 'maintain', 'admin', 'operator']).meta({
  description:
    'read: see jobs, images, results and consoles. submit: submit and cancel jobs, type into consoles. ' +
    'images: add and remove images. maintain: what concerns every job of the project. ' +
    'admin: members, invitations, tokens, audit log. operator: every project, people and quotas of the lab.',
});
export type Scope = z.infer<typeof scopeSchema>;
export const SCOPES: readonly Scope[] = scopeSchema.options;

/** What a member of a project is. */
export const roleSchema = z.enum(['viewer', 'submitter', 'maintainer', 'admin']);
export type Role = z.infer<typeof roleSchema>;

/** Each role may do what the one before it may, and more. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ['read'],
  submitter: ['read', 'submit', 'images'],
  maintainer: ['read', 'submit', 'images', 'maintain'],
  admin: ['read', 'submit', 'images', 'maintain', 'admin'],
};

export const MIN_PASSWORD_LENGTH = 12;

const nameSchema = z.string().trim().min(1).max(100);
/** Names that read well in an address: the project's is in links, the login in front of every entry of the audit log. */
const slugSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/, 'Lower-case letters, digits, ".", "_" and "-", at most 63');
const loginSchema = slugSchema.describe('What the person signs in with; lower case');
const newPasswordSchema = z.string().min(MIN_PASSWORD_LENGTH).max(200);
/** What a password or secret may be that is only compared: bounded, because hashing takes time. */
const secretSchema = z.string().min(1).max(500);

// ---- Projects ----

export const quotaSchema = z.object({
  boards: z.number().int().min(0).max(100_000).nullable().describe('Boards that run at the same time; null: no limit'),
  cpuSeconds: z
    .number()
    .int()
    .min(0)
    .max(2_000_000_000)
    .nullable()
    .describe('Seconds that boards may occupy a core within the period; null: no limit'),
  periodHours: z.number().int().min(1).max(8784).describe('The period: so many hours back from now'),
  storageBytes: z
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .nullable()
    .describe('Bytes of images and console logs; null: no limit'),
});
export type Quota = z.infer<typeof quotaSchema>;

export const usageSchema = z.object({
  runningBoards: z.number().int(),
  queuedJobs: z.number().int(),
  cpuSeconds: z.number().describe('Within the period of the quota'),
  storageBytes: z.number().int(),
});
export type Usage = z.infer<typeof usageSchema>;

export const projectSchema = z
  .object({ id: z.string(), name: z.string(), createdAt: z.iso.datetime(), quota: quotaSchema, usage: usageSchema })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof projectSchema>;

export const newProjectSchema = z.strictObject({ name: slugSchema, quota: quotaSchema.partial().optional() });
export type NewProject = z.infer<typeof newProjectSchema>;

export const projectChangeSchema = z.strictObject({
  name: slugSchema.optional(),
  quota: quotaSchema.partial().optional(),
});
export type ProjectChange = z.infer<typeof projectChangeSchema>;

// ---- People ----

export const userSchema = z
  .object({
    id: z.string(),
    login: z.string(),
    name: z.string(),
    operator: z.boolean(),
    disabled: z.boolean().describe('Cannot sign in; the tokens do not work either'),
    hasPassword: z.boolean(),
    createdAt: z.iso.datetime(),
    lastSignInAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof userSchema>;

export const userChangeSchema = z.strictObject({ operator: z.boolean().optional(), disabled: z.boolean().optional() });
export type UserChange = z.infer<typeof userChangeSchema>;

export const memberSchema = z
  .object({
    userId: z.string(),
    login: z.string(),
    name: z.string(),
    role: roleSchema,
    disabled: z.boolean(),
    since: z.iso.datetime(),
    lastSignInAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof memberSchema>;

export const memberChangeSchema = z.strictObject({ role: roleSchema });

export const meSchema = z
  .object({
    kind: z.enum(['person', 'token']),
    label: z.string().describe('Whom the audit log names'),
    user: userSchema.nullable().describe('Null for a token that belongs to nobody'),
    operator: z.boolean(),
    projects: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        role: roleSchema.nullable().describe('Null: seen as operator, or with a token of no person'),
        scopes: z.array(scopeSchema),
      }),
    ),
    authentication: z.enum(['bearer', 'session']),
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof meSchema>;

export const profileChangeSchema = z.strictObject({ name: nameSchema });
export const passwordChangeSchema = z.strictObject({ current: secretSchema, next: newPasswordSchema });
export type PasswordChange = z.infer<typeof passwordChangeSchema>;

export const accountDeletionSchema = z
  .strictObject({
    login: z.string().min(1).max(100).describe('Your own, typed once more'),
    password: secretSchema.optional().describe('For those who sign in with one'),
  })
  .meta({ id: 'AccountDeletion' });
export type AccountDeletion = z.infer<typeof accountDeletionSchema>;

// ---- Sessions ----

export const signInSchema = z.union([
  z.strictObject({ login: z.string().min(1).max(100), password: secretSchema }),
  z.strictObject({ token: secretSchema }),
]);
export type SignIn = z.infer<typeof signInSchema>;

export const signInMethodsSchema = z.object({
  oidc: z.object({ name: z.string() }).nullable().describe('Sign in through another service; null: not set up'),
});
export type SignInMethods = z.infer<typeof signInMethodsSchema>;

export const oidcBeginSchema = z.strictObject({ invitation: secretSchema.optional() });
export type OidcBegin = z.infer<typeof oidcBeginSchema>;
export const oidcRedirectSchema = z.object({ url: z.string() });

export const sessionSchema = z
  .object({
    id: z.string(),
    current: z.boolean(),
    address: z.string(),
    userAgent: z.string(),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Session' });
export type Session = z.infer<typeof sessionSchema>;

// ---- Invitations ----

export const newInvitationSchema = z.strictObject({
  role: roleSchema,
  note: nameSchema.describe('For whom it is'),
  expiresInHours: z.number().int().min(1).max(720).default(168),
});
export type NewInvitation = z.infer<typeof newInvitationSchema>;

export const invitationSchema = z
  .object({
    id: z.string(),
    role: roleSchema,
    note: z.string(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Invitation' });
export type Invitation = z.infer<typeof invitationSchema>;

/** What a link is worth that somebody opens: sent with its secret, because the secret is all he has. */
export const invitationViewSchema = z.object({
  kind: z.enum(['join', 'password']),
  project: z.string().nullable(),
  role: roleSchema.nullable(),
  login: z.string().nullable().describe('Whose password the link sets'),
});
export type InvitationView = z.infer<typeof invitationViewSchema>;

export const invitationSecretSchema = z.strictObject({ secret: secretSchema });
/** Without an account in it, the person who is signed in joins. */
export const invitationAcceptSchema = z.strictObject({
  secret: secretSchema,
  account: z.strictObject({ login: loginSchema, name: nameSchema, password: newPasswordSchema }).optional(),
});
export type InvitationAccept = z.infer<typeof invitationAcceptSchema>;
export const passwordResetSchema = z.strictObject({ secret: secretSchema, password: newPasswordSchema });

/** A new invitation or password link. Its secret is shown this once. */
export const madeLinkSchema = z.object({
  id: z.string(),
  path: z.string().describe('Put behind the address of the lab: the link to hand over'),
  expiresAt: z.iso.datetime(),
});
export type MadeLink = z.infer<typeof madeLinkSchema>;

// ---- Tokens ----

export const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    prefix: z.string().describe('Its first characters'),
    scopes: z.array(scopeSchema),
    owner: z.string().nullable().describe('Login; what the owner may no longer do, the token may not either'),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable().describe('To the minute'),
    expiresAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof tokenSchema>;

export const newTokenSchema = z.strictObject({
  name: nameSchema,
  scopes: z.array(scopeSchema).min(1).max(SCOPES.length),
  expiresInDays: z.number().int().min(1).max(3650).nullable().default(90).describe('null: never'),
});
export type NewToken = z.infer<typeof newTokenSchema>;

export const madeTokenSchema = z.object({
  token: tokenSchema,
  secret: z.string().describe('Shown this once: the lab keeps only its hash'),
});
export type MadeToken = z.infer<typeof madeTokenSchema>;

// ---- Audit log ----

export const auditEntrySchema = z
  .object({
    id: z.string(),
    at: z.iso.datetime(),
    actor: z.string().describe('Login, or "token <name>"'),
    action: z.string().describe('What was done, for example jobs.submit'),
    target: z.string().nullable().describe('To what: mostly an id'),
    status: z.number().int().describe('HTTP status of the answer: 4xx are attempts that were refused'),
    address: z.string(),
    userAgent: z.string(),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const auditQuerySchema = z.object({
  cursor: z
    .string()
    .regex(/^\d{1,18}$/)
    .describe('nextCursor of the page before')
    .optional(),
  limit: pageQuerySchema.shape.limit,
  action: z.string().max(100).describe('Only this action').optional(),
  actor: z.string().max(200).describe('Only by this actor').optional(),
  lab: z.enum(['0', '1']).default('0').describe('1: of the whole lab; for operators'),
});
export type AuditQuery = z.infer<typeof auditQuerySchema>;

export const auditPageSchema = z.object({ items: z.array(auditEntrySchema), nextCursor: z.string().nullable() });
export type AuditPage = z.infer<typeof auditPageSchema>;
