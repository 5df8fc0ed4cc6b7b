import { text } from 'node:stream/consumers';
import type { Me } from '@bootlab/lab';
import type { TerminalStreams } from '../boot/terminal.js';
import { ExitCode, LabError, UsageError } from '../exit-codes.js';
import { LabClient } from './client.js';
import { forgetLab, parseLabUrl, rememberLab, settingsFile, type Environment } from './settings.js';

export interface LoginOptions {
  /** Address of the lab, or the link with a token that it prints. */
  lab: string;
  project?: string;
}

/**
 * Asks for a token, tries it, and remembers it. A token never stands on the command line, where other users see it.
 * @returns the exit status
 * @throws UsageError, LabError
 */
export async function login(
  { lab, project }: LoginOptions,
  host: TerminalStreams,
  env: Environment,
  version: string,
): Promise<number> {
  const { url, token: fromLink } = parseLabUrl(lab);
  const token = (env['BOOTLAB_TOKEN'] || fromLink || (await askForToken(url, host))).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('that is no token. Copy it from the lab, page "Tokens".');
  const me = await new LabClient({ url, token, project: undefined }, version)
    .json<Me>('/me')
    .catch((error: unknown) => {
      if (error instanceof LabError && error.status === 401)
        throw new UsageError(`the lab at ${url} does not know this token.`);
      throw error;
    });
  const chosen = chooseProject(me, project);
  rememberLab(env, { url, token, project: me.projects.length > 1 ? chosen : undefined });
  const where = chosen === undefined ? '' : ` in the project "${chosen}"`;
  host.stdout.write(`Logged in to ${url} as ${me.label}${where}. The token is in ${settingsFile(env)}.\n`);
  return ExitCode.pass;
}

function chooseProject({ projects }: Me, wanted: string | undefined): string | undefined {
  const names = projects.map(({ name }) => name);
  if (wanted !== undefined) {
    const found = projects.find(({ id, name }) => name === wanted || id === wanted);
    if (!found) throw new UsageError(`you have no project "${wanted}". Yours are: ${names.join(', ') || 'none'}.`);
    return found.name;
  }
  if (names.length > 1)
    throw new UsageError(`you have several projects. Choose one with --project: ${names.join(', ')}.`);
  return names[0];
}

/** From a terminal without showing it, else the whole input. */
async function askForToken(url: string, { stdin, stderr }: TerminalStreams): Promise<string> {
  if (!stdin.isTTY) return text(stdin);
  stdin.setRawMode?.(true); // no echo, before anybody is asked to type
  stderr.write(`Token for ${url} (from its page "Tokens"; not shown): `);
  try {
    return await readHidden(stdin);
  } finally {
    stdin.setRawMode?.(false);
    stderr.write('\n');
  }
}

const CTRL_C = '\x03';
const CTRL_D = '\x04';

function readHidden(stdin: TerminalStreams['stdin']): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const take = (data: Buffer): void => {
      for (const character of data.toString()) {
        if (character === '\r' || character === '\n' || character === CTRL_D) return end();
        if (character === CTRL_C) return end(new UsageError('no token was given.'));
        typed = character === '\x7f' || character === '\b' ? typed.slice(0, -1) : typed + character;
      }
    };
    const end = (error?: Error): void => {
      stdin.off('data', take);
      stdin.pause();
      if (error) reject(error);
      else resolve(typed);
    };
    stdin.on('data', take);
    stdin.resume();
  });
}

/** Forgets a lab and its token. @returns the exit status */
export function logout(lab: string | undefined, host: TerminalStreams, env: Environment): number {
  const url = lab === undefined ? undefined : parseLabUrl(lab).url;
  const gone = forgetLab(env, url);
  if (gone === undefined) throw new UsageError(`you are not logged in${url === undefined ? '' : ` to ${url}`}.`);
  host.stdout.write(`Logged out of ${gone}.\n`);
  return ExitCode.pass;
}
