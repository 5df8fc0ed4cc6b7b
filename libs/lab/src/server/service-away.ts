// Errors of Prisma that say that the database cannot be reached (Prisma, "Error message reference").
const PRISMA_CODES: ReadonlySet<string> = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024']);
const SOCKET_CODES: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EPIPE', 'ETIMEDOUT']);
// SQLSTATEs of a server that ends, or does not serve yet (PostgreSQL, appendix A: classes 08 and 57P).
const SQL_STATE = /^(08...|57P0[1-3])$/;
/** Errors of `pg` have no code when a connection breaks under a query. */
const PG_MESSAGE = /^(Connection terminated|Client has encountered a connection error)/;

/** Whether an error says that PostgreSQL is away for a moment, and not that a question to it was wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, meta } = error as { code?: unknown; meta?: { driverAdapterError?: { cause?: unknown } } };
  if (typeof code === 'string' && (PRISMA_CODES.has(code) || SQL_STATE.test(code))) return true;
  if (typeof code === 'string' && SOCKET_CODES.has(code)) return true;
  if (PG_MESSAGE.test(error.message)) return true;
  const cause = meta?.driverAdapterError?.cause as { kind?: string; originalCode?: string } | undefined;
  return cause?.kind === 'DatabaseNotReachable' || SQL_STATE.test(cause?.originalCode ?? '');
}
