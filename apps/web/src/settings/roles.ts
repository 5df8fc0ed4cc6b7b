// Roles and scopes in words.
import type { Role, Scope } from '../api/types.js';

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  viewer: 'Viewer',
  submitter: 'Submitter',
  maintainer: 'Maintainer',
  admin: 'Admin',
};

export const ROLE_HELP: Readonly<Record<Role, string>> = {
  viewer: 'sees jobs, images, results and consoles',
  submitter: 'also submits jobs, types into consoles and adds images',
  maintainer: 'also decides how long images are kept',
  admin: 'also looks after members, tokens and the audit log',
};

export const ROLES = Object.keys(ROLE_NAMES) as Role[];

export const SCOPE_HELP: Readonly<Record<Scope, string>> = {
  read: 'See jobs, images, results and consoles',
  submit: 'Submit and cancel jobs, type into consoles',
  images: 'Add and remove images',
  maintain: 'Decide how long images are kept',
  admin: 'Members, invitations, tokens, audit log',
  operator: 'Every project and person of the lab',
};
