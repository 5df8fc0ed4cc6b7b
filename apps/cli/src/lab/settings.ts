import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { UsageError } from '../exit-codes.js';

/** A lab and the right to use it. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Name or id; undefined for the token's own. */
  readonly project: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const settingsSchema = z.object({
  /** The lab that commands talk to. */
  current: z.string().optional(),
  labs: z.record(z.string(), z.object({ token: z.string(), project: z.string().optional() })).default({}),
});
type Settings = z.infer<typeof settingsSchema>;

/** `$BOOTLAB_CONFIG`, else `bootlab/config.json` where the system keeps configuration (XDG base directories). */
export function settingsFile(env: Environment): string {
  const base = env['XDG_CONFIG_HOME'] || path.join(env['HOME'] || homedir(), '.config');
  return env['BOOTLAB_CONFIG'] || path.join(base, 'bootlab', 'config.json');
}

function readSettings(file: string): Settings {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { labs: {} };
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
  }
  try {
    return settingsSchema.parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} is damaged. Remove it and use 'bootlab login' again.`);
  }
}

/** Nobody else may read it, since it holds tokens; and it is whole at any time. */
function writeSettings(file: string, settings: Settings): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}`;
  writeFileSync(fresh, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
  chmodSync(fresh, 0o600); // also where the umask or an older file says otherwise
  renameSync(fresh, file);
}

/** Remembers a lab, and makes it the one that commands talk to. */
export function rememberLab(env: Environment, { url, token, project }: Connection): void {
  const file = settingsFile(env);
  const { labs } = readSettings(file);
  writeSettings(file, { current: url, labs: { ...labs, [url]: { token, ...(project !== undefined && { project }) } } });
}

/** @returns whether it was known */
export function forgetLab(env: Environment, url: string | undefined): string | undefined {
  const file = settingsFile(env);
  const { current, labs } = readSettings(file);
  const gone = url ?? current;
  if (gone === undefined || !Object.hasOwn(labs, gone)) return undefined;
  const rest = Object.fromEntries(Object.entries(labs).filter(([known]) => known !== gone));
  const [next] = Object.keys(rest);
  const stays = current === gone ? next : current;
  writeSettings(file, { ...(stays !== undefined && { current: stays }), labs: rest });
  return gone;
}

/**
 * The address of a lab as people give it: a link with a token in it, as `npm start` prints, gives both.
 * @throws UsageError
 */
export function parseLabUrl(text: string): { url: string; token: string | undefined } {
  const given = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`"${text}" is not the address of a lab. Write it as http://host:8080.`);
  }
  const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? undefined;
  return { url: (url.origin + url.pathname).replace(/\/+$/, ''), token };
}

/**
 * The lab to talk to: by the environment, else the one that was logged in to last.
 * @throws UsageError
 */
export function currentConnection(env: Environment): Connection {
  const { current, labs } = readSettings(settingsFile(env));
  const given = env['BOOTLAB_URL'] ? parseLabUrl(env['BOOTLAB_URL']) : undefined;
  const url = given?.url ?? current;
  if (url === undefined) {
    throw new UsageError("no lab is known. Use 'bootlab login URL', or set BOOTLAB_URL and BOOTLAB_TOKEN.");
  }
  const known = Object.hasOwn(labs, url) ? labs[url] : undefined;
  const token = env['BOOTLAB_TOKEN'] || given?.token || known?.token;
  if (token === undefined) {
    throw new UsageError(`there is no token for ${url}. Use 'bootlab login ${url}', or set BOOTLAB_TOKEN.`);
  }
  return { url, token, project: env['BOOTLAB_PROJECT'] || known?.project };
}
