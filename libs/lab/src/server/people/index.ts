/** Who may do what: people, projects, tokens, sessions, invitations, quotas and the audit log, as the database keeps them. */
export * from './account-removal.js';
export * from './audit-log.js';
export * from './identity.js';
export * from './invitation-store.js';
export * from './project-store.js';
export * from './quotas.js';
export { newToken } from './secrets.js';
export * from './session-store.js';
export * from './token-store.js';
export * from './user-store.js';
