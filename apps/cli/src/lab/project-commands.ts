import { parseDuration, parseSize, roleSchema, SCOPES, UnitError, WEBHOOK_EVENTS } from '@bootlab/lab';
import type { Quota, Role, Scope, WebhookEvent } from '@bootlab/lab';
import { Argument, InvalidArgumentError, Option, type Command } from 'commander';
import { count } from './arguments.js';
import type { LabClient } from './client.js';
import type { Output } from './output.js';

/** What every command needs that asks a lab. */
export interface Asking {
  client(): LabClient;
  output(): Output;
  exit(code: number): void;
}

interface ListFlags {
  json?: true;
}

/** A command that is nothing but a head for others, of which `list` is meant when none is named. */
const group = (program: Command, name: string, description: string): Command =>
  program.command(name).description(description).helpOption('--help', 'print this help').helpCommand(false);

const command = (parent: Command, name: string, description: string): Command =>
  parent.command(name).description(description).helpOption('--help', 'print this help');

const list = (parent: Command, description: string): Command =>
  parent
    .command('list', { isDefault: true })
    .description(description)
    .option('--json', 'print them as JSON')
    .helpOption('--help', 'print this help');

const HOUR_NS = 3600e9;
const DAY_NS = 24 * HOUR_NS;

/** "7d" → whole units, at least one. */
function timeArgument(unitNs: number, unit: string): (text: string) => number {
  return (text) => {
    const days = /^(\d+)d$/.exec(text)?.[1];
    const ns = days === undefined ? measured(text, parseDuration) : Number(days) * DAY_NS;
    if (ns >= unitNs && ns % unitNs === 0) return ns / unitNs;
    throw new InvalidArgumentError(`Write whole ${unit}, for example 7d.`);
  };
}

function measured(text: string, parse: (text: string) => number): number {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof UnitError) throw new InvalidArgumentError(`${error.message}. ${error.mend}`);
    throw error;
  }
}

/** A limit; commander takes null for no value at all. */
type Limit = number | 'none';
const orNone =
  (parse: (text: string) => number) =>
  (text: string): Limit =>
    text === 'none' ? text : parse(text);
const nullable = (limit: Limit): number | null => (limit === 'none' ? null : limit);

const wholeNumber = (text: string): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('Write a whole number, or none for no limit.');
};

const gathered = <T>(choice: T, before: readonly T[] | undefined): T[] => [...(before ?? []), choice];

const eventArgument = (text: string, before?: readonly WebhookEvent[]): WebhookEvent[] => {
  const event = WEBHOOK_EVENTS.find((each) => each === text);
  if (event === undefined) throw new InvalidArgumentError(`Use ${WEBHOOK_EVENTS.join(' or ')}.`);
  return gathered(event, before);
};

const scopeArgument = (text: string, before?: readonly Scope[]): Scope[] => {
  const scope = SCOPES.find((each) => each === text);
  if (scope === undefined) throw new InvalidArgumentError(`Use ${SCOPES.join(', ')}.`);
  return gathered(scope, before);
};

/** Badges, webhooks, members, tokens and the audit log of a project. */
export function addProjectCommands(program: Command, asking: Asking): void {
  addBadgeCommands(program, asking);
  addWebhookCommands(program, asking);
  addMemberCommands(program, asking);
  addTokenCommands(program, asking);
  addAuditCommand(program, asking);
}

function addBadgeCommands(program: Command, { client, output, exit }: Asking): void {
  const badges = group(program, 'badges', "pictures of how the project's newest job ended");
  list(badges, 'list them, newest first').action(async ({ json }: ListFlags) => {
    exit(await (await import('./integrations.js')).listBadges(client(), json === true, output()));
  });
  command(badges, 'add', 'make one, and print the Markdown that shows it')
    .option('--label <text>', 'what stands on its left (default: boot)')
    .option('--job-name <name>', 'only jobs of exactly this name')
    .option('--board <board>', 'only jobs on this board')
    .action(async (badge: { label?: string; jobName?: string; board?: string }) => {
      exit(await (await import('./integrations.js')).addBadge(client(), badge, output()));
    });
  command(badges, 'rm', 'remove badges: their addresses show nothing any more')
    .argument('<badges...>', 'ids, or labels')
    .action(async (references: string[]) => {
      exit(await (await import('./integrations.js')).removeBadges(client(), references, output()));
    });
}

function addWebhookCommands(program: Command, { client, output, exit }: Asking): void {
  const webhooks = group(program, 'webhooks', 'addresses that the lab tells of jobs');
  list(webhooks, 'list them, newest first').action(async ({ json }: ListFlags) => {
    exit(await (await import('./integrations.js')).listWebhooks(client(), json === true, output()));
  });
  command(webhooks, 'add', 'make one, and print the key of its signatures, this once')
    .argument('<url>', 'where messages go')
    .option('--event <event>', `${WEBHOOK_EVENTS.join(' or ')}; repeatable (default: job.ended)`, eventArgument)
    .action(async (url: string, { event }: { event?: WebhookEvent[] }) => {
      const { addWebhook } = await import('./integrations.js');
      exit(await addWebhook(client(), { url, events: event ?? ['job.ended'] }, output()));
    });
  for (const [name, active] of [
    ['on', true],
    ['off', false],
  ] as const) {
    command(webhooks, name, `switch webhooks ${name}`)
      .argument('<webhooks...>', 'ids, or addresses')
      .action(async (references: string[]) => {
        exit(await (await import('./integrations.js')).switchWebhooks(client(), references, active, output()));
      });
  }
  command(webhooks, 'log', 'list what a webhook was sent, newest first')
    .argument('<webhook>', 'id, or address')
    .option('--limit <n>', 'how many', count, 25)
    .option('--json', 'print it as JSON, with the messages')
    .action(async (reference: string, { limit, json }: ListFlags & { limit: number }) => {
      const { listDeliveries } = await import('./integrations.js');
      exit(await listDeliveries(client(), reference, { limit, json: json === true }, output()));
    });
  command(webhooks, 'ping', 'send a message that says nothing but that messages arrive')
    .argument('<webhook>', 'id, or address')
    .action(async (reference: string) => {
      exit(await (await import('./integrations.js')).pingWebhook(client(), reference, output()));
    });
  command(webhooks, 'repeat', 'send a message once more')
    .argument('<webhook>', 'id, or address')
    .argument('<delivery>', "its id, from 'bootlab webhooks log'")
    .action(async (reference: string, delivery: string) => {
      exit(await (await import('./integrations.js')).repeatDelivery(client(), reference, delivery, output()));
    });
  command(webhooks, 'rm', 'remove webhooks and the logs of what they were sent')
    .argument('<webhooks...>', 'ids, or addresses')
    .action(async (references: string[]) => {
      exit(await (await import('./integrations.js')).removeWebhooks(client(), references, output()));
    });
}

function addMemberCommands(program: Command, { client, output, exit }: Asking): void {
  const members = group(program, 'members', 'who is in the project, and who is invited');
  list(members, 'list the members').action(async ({ json }: ListFlags) => {
    exit(await (await import('./people.js')).listMembers(client(), json === true, output()));
  });
  command(members, 'role', 'give a member another role')
    .argument('<login>', 'who')
    .addArgument(new Argument('<role>', 'each may what the one before it may, and more').choices(roleSchema.options))
    .action(async (login: string, role: Role) => {
      exit(await (await import('./people.js')).changeRole(client(), login, role, output()));
    });
  command(members, 'rm', 'take members out of the project; their tokens for it end with that')
    .argument('<logins...>', 'who')
    .action(async (logins: string[]) => {
      exit(await (await import('./people.js')).removeMembers(client(), logins, output()));
    });
  command(members, 'invite', 'make a link that lets one person in, and print it')
    .argument('<whom>', 'for whom it is, as the list of invitations shows it')
    .addOption(new Option('--role <role>', 'what the person becomes').choices(roleSchema.options).default('submitter'))
    .option('--expires <time>', 'how long it is good', timeArgument(HOUR_NS, 'hours or days'), 168)
    .action(async (note: string, { role, expires }: { role: Role; expires: number }) => {
      const { invite } = await import('./people.js');
      exit(await invite(client(), { note, role, expiresInHours: expires }, output()));
    });
  command(members, 'invitations', 'list the invitations that nobody has used')
    .option('--json', 'print them as JSON')
    .action(async ({ json }: ListFlags) => {
      exit(await (await import('./people.js')).listInvitations(client(), json === true, output()));
    });
  command(members, 'withdraw', 'withdraw invitations')
    .argument('<invitations...>', 'ids, or for whom they are')
    .action(async (references: string[]) => {
      exit(await (await import('./people.js')).withdrawInvitations(client(), references, output()));
    });
}

function addTokenCommands(program: Command, { client, output, exit }: Asking): void {
  const tokens = group(program, 'tokens', 'tokens for CI and scripts');
  list(tokens, 'list your own, as admin all of the project').action(async ({ json }: ListFlags) => {
    exit(await (await import('./people.js')).listTokens(client(), json === true, output()));
  });
  command(tokens, 'add', 'make one, and print it, this once')
    .argument('<name>', 'what it is for')
    .option('--may <scope>', `${SCOPES.join(', ')}; repeatable (default: read, submit)`, scopeArgument)
    .option('--expires <time>', "after how many days, or 'none'", orNone(timeArgument(DAY_NS, 'days')), 90)
    .action(async (name: string, { may, expires }: { may?: Scope[]; expires: Limit }) => {
      const { addToken } = await import('./people.js');
      exit(
        await addToken(
          client(),
          { name, scopes: may ?? ['read', 'submit'], expiresInDays: nullable(expires) },
          output(),
        ),
      );
    });
  command(tokens, 'revoke', 'revoke tokens: whatever uses them is refused from now on')
    .argument('<tokens...>', 'ids, or names')
    .action(async (references: string[]) => {
      exit(await (await import('./people.js')).revokeTokens(client(), references, output()));
    });
}

function addAuditCommand(program: Command, { client, output, exit }: Asking): void {
  command(program, 'audit', 'print who changed what in the project, newest first')
    .option('--action <action>', 'only this, for example jobs.submit')
    .option('--actor <actor>', "only by this login, or 'token NAME'")
    .option('--lab', 'of the whole lab; for operators')
    .option('--limit <n>', 'how many', count, 25)
    .option('--json', 'print it as JSON')
    .action(
      async ({ json, lab, ...rest }: ListFlags & { action?: string; actor?: string; lab?: true; limit: number }) => {
        const { printAudit } = await import('./people.js');
        exit(await printAudit(client(), { ...rest, lab: lab === true, json: json === true }, output()));
      },
    );
}

/** People and projects of the whole lab, mostly for its operators. */
export function addOperatorCommands(program: Command, { client, output, exit }: Asking): void {
  command(program, 'whoami', 'print who the token is, and what it may do where')
    .option('--json', 'print it as JSON')
    .action(async ({ json }: ListFlags) => {
      exit(await (await import('./people.js')).whoAmI(client(), json === true, output()));
    });

  const users = group(program, 'users', 'the people of the lab; for its operators');
  list(users, 'list everybody, by login').action(async ({ json }: ListFlags) => {
    exit(await (await import('./people.js')).listUsers(client(), json === true, output()));
  });
  for (const [name, description, change, word] of [
    ['promote', 'make somebody an operator', { operator: true }, 'operator'],
    ['demote', 'make somebody no operator any more', { operator: false }, 'no operator any more'],
    ['disable', 'let somebody in no more; tokens stop as well', { disabled: true }, 'disabled'],
    ['enable', 'let somebody in again', { disabled: false }, 'enabled'],
  ] as const) {
    command(users, name, description)
      .argument('<login>', 'who')
      .action(async (login: string) => {
        exit(await (await import('./people.js')).changeUser(client(), login, change, word, output()));
      });
  }
  command(users, 'password-link', 'make a link with which somebody sets a new password, and print it')
    .argument('<login>', 'whose')
    .action(async (login: string) => {
      exit(await (await import('./people.js')).passwordLink(client(), login, output()));
    });
  command(users, 'rm', 'delete an account for good; the audit log keeps what was done, without the name')
    .argument('<login>', 'whose')
    .action(async (login: string) => {
      exit(await (await import('./people.js')).removeUser(client(), login, output()));
    });

  const projects = group(program, 'projects', 'projects, with quotas and what is used of them');
  list(projects, 'list those that you see').action(async ({ json }: ListFlags) => {
    exit(await (await import('./people.js')).listProjects(client(), json === true, output()));
  });
  command(projects, 'add', 'make one; for operators')
    .argument('<name>', 'lower-case letters, digits, dots and dashes')
    .action(async (name: string) => {
      exit(await (await import('./people.js')).addProject(client(), name, output()));
    });
  command(projects, 'quota', "change a project's quota, as far as named; 'none' is no limit. For operators")
    .argument('<project>', 'its name')
    .option('--boards <n>', 'how many run at a time', orNone(wholeNumber))
    .option(
      '--board-time <time>',
      'how long boards may run within the period',
      orNone((text) => measured(text, parseDuration) / 1e9),
    )
    .option('--period <time>', 'the period: so far back from now', timeArgument(HOUR_NS, 'hours or days'))
    .option(
      '--storage <size>',
      'of images, logs and artifacts',
      orNone((text) => measured(text, parseSize)),
    )
    .action(async (name: string, flags: QuotaFlags) => {
      exit(await (await import('./people.js')).setQuota(client(), name, quotaOf(flags), output()));
    });
  command(projects, 'rm', 'remove a project that holds neither jobs nor images; for operators')
    .argument('<project>', 'its name')
    .action(async (name: string) => {
      exit(await (await import('./people.js')).removeProject(client(), name, output()));
    });
}

interface QuotaFlags {
  boards?: Limit;
  boardTime?: Limit;
  period?: number;
  storage?: Limit;
}

const quotaOf = ({ boards, boardTime, period, storage }: QuotaFlags): Partial<Quota> => ({
  ...(boards !== undefined && { boards: nullable(boards) }),
  ...(boardTime !== undefined && { cpuSeconds: nullable(boardTime) }),
  ...(period !== undefined && { periodHours: period }),
  ...(storage !== undefined && { storageBytes: nullable(storage) }),
});
