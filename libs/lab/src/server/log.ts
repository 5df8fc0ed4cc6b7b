import { pino, type DestinationStream, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';
import { z } from 'zod';

export type { Logger } from 'pino';

const schema = z.object({
  BOOTLAB_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  BOOTLAB_LOG_FORMAT: z.enum(['json', 'text']).default('json'),
});

/**
 * The log of a process: one JSON object a line, or lines for people with BOOTLAB_LOG_FORMAT=text.
 * @param name which process it is
 * @param target default: standard output
 * @throws ZodError naming a bad variable
 */
export function openLog(name: string, env: NodeJS.ProcessEnv = process.env, target?: DestinationStream): Logger {
  const { BOOTLAB_LOG_LEVEL: level, BOOTLAB_LOG_FORMAT: format } = schema.parse({
    BOOTLAB_LOG_LEVEL: env['BOOTLAB_LOG_LEVEL'] || undefined,
    BOOTLAB_LOG_FORMAT: env['BOOTLAB_LOG_FORMAT'] || undefined,
  });
  const options = {
    name,
    level,
    base: { name },
    // What must never be in a log, wherever in a logged object it stands.
    redact: ['*.authorization', '*.cookie', '*.token', '*.password', '*.secret'],
  };
  if (target) return pino(options, target);
  if (format === 'json') return pino(options);
  const pretty = PinoPretty({ colorize: false, ignore: 'name', messageFormat: '{name}: {msg}', sync: true });
  return pino(options, pretty);
}
