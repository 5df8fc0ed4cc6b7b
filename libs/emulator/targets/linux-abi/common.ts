/** Structures of the Linux UAPI that are the same on all architectures (include/uapi, asm-generic). */
import { bytes, padding, structLayout } from './layout.js';
import type { DataModel } from './layout.js';

const SAME: DataModel = { longBytes: 8, pointerBytes: 8, longLongAlignment: 8 };

/** linux/stat.h, struct statx: 256 bytes. */
export const STATX = structLayout(SAME, {
  stx_mask: 'u32',
  stx_blksize: 'u32',
  stx_attributes: 'u64',
  stx_nlink: 'u32',
  stx_uid: 'u32',
  stx_gid: 'u32',
  stx_mode: 'u16',
  spare0: padding('u16'),
  stx_ino: 'u64',
  stx_size: 'u64',
  stx_blocks: 'u64',
  stx_attributes_mask: 'u64',
  stx_atime_sec: 'i64',
  stx_atime_nsec: 'u32',
  spare1: padding('u32'),
  stx_btime_sec: 'i64',
  stx_btime_nsec: 'u32',
  spare2: padding('u32'),
  stx_ctime_sec: 'i64',
  stx_ctime_nsec: 'u32',
  spare3: padding('u32'),
  stx_mtime_sec: 'i64',
  stx_mtime_nsec: 'u32',
  spare4: padding('u32'),
  stx_rdev_major: 'u32',
  stx_rdev_minor: 'u32',
  stx_dev_major: 'u32',
  stx_dev_minor: 'u32',
  stx_mnt_id: 'u64',
  spare5: padding('u64', 13),
});

/** linux/time_types.h, struct __kernel_timespec. */
export const TIMESPEC64 = structLayout(SAME, { tv_sec: 'i64', tv_nsec: 'i64' });

/** linux/time_types.h, struct __kernel_sock_timeval. */
export const TIMEVAL64 = structLayout(SAME, { tv_sec: 'i64', tv_usec: 'i64' });

/** asm-generic/termios.h, struct winsize. */
export const WINSIZE = structLayout(SAME, { ws_row: 'u16', ws_col: 'u16', ws_xpixel: 'u16', ws_ypixel: 'u16' });

/** asm-generic/poll.h, struct pollfd. */
export const POLLFD = structLayout(SAME, { fd: 'i32', events: 'u16', revents: 'u16' });

/** linux/in.h, struct sockaddr_in; port and address are in network order, so they are bytes here. */
export const SOCKADDR_IN = structLayout(SAME, {
  sin_family: 'u16',
  sin_port: bytes(2),
  sin_addr: bytes(4),
  zero: padding('u8', 8),
});

/** linux/in6.h, struct sockaddr_in6. */
export const SOCKADDR_IN6 = structLayout(SAME, {
  sin6_family: 'u16',
  sin6_port: bytes(2),
  sin6_flowinfo: bytes(4),
  sin6_addr: bytes(16),
  sin6_scope_id: 'u32',
});

/** linux/socket.h, struct ucred. */
export const UCRED = structLayout(SAME, { pid: 'i32', uid: 'u32', gid: 'u32' });

/** asm-generic/socket.h, struct linger. */
export const LINGER = structLayout(SAME, { l_onoff: 'i32', l_linger: 'i32' });

/** linux/openat2.h, struct open_how. */
export const OPEN_HOW = structLayout(SAME, { flags: 'u64', mode: 'u64', resolve: 'u64' });

/** asm-generic/fcntl.h, struct f_owner_ex. */
export const F_OWNER_EX = structLayout(SAME, { type: 'i32', pid: 'i32' });

/** linux/inotify.h, struct inotify_event; the name follows. */
export const INOTIFY_EVENT = structLayout(SAME, { wd: 'i32', mask: 'u32', cookie: 'u32', len: 'u32' });

/** linux/signalfd.h, struct signalfd_siginfo: 128 bytes; only the fields that are ever set. */
export const SIGNALFD_SIGINFO = structLayout(SAME, {
  ssi_signo: 'u32',
  ssi_errno: 'i32',
  ssi_code: 'i32',
  ssi_pid: 'u32',
  ssi_uid: 'u32',
  rest: padding('u8', 108),
});
