/**
 * Files, sockets and terminals in the Linux ABI of MIPS o32. Numbers and layouts: Linux UAPI, arch/mips/include/uapi/asm
 * (fcntl.h, stat.h, statfs.h, socket.h, ioctls.h, termbits.h); argument registers: System V ABI MIPS supplement, 3rd
 * edition, "Function Calling Sequence" (64-bit arguments start at an even register).
 */
import { bytes, padding, structLayout } from '../../linux-abi/layout.js';
import type { DataModel } from '../../linux-abi/layout.js';
import { mipsErrno } from './errno.js';
import type { LinuxFileAbi } from '../../linux-abi/file-abi.js';

/** C's types on o32. */
export const O32: DataModel = { longBytes: 4, pointerBytes: 4, longLongAlignment: 8 };

/** _IOR and _IOW of asm/ioctl.h: three direction bits, thirteen size bits. */
const READ = 2;
const WRITE = 4;
const ioc = (direction: number, group: string, number: number, size: number): number =>
  ((direction << 29) | (size << 16) | (group.charCodeAt(0) << 8) | number) >>> 0;

export const MIPS_O32_FILES: LinuxFileAbi = {
  name: 'MIPS o32',
  dataModel: O32,
  errno: mipsErrno,
  sigsetBytes: 16,
  pipeReturnsPair: true,

  structs: {
    stat: structLayout(O32, {
      st_dev: 'u32',
      pad1: padding('long', 3),
      st_ino: 'ulong',
      st_mode: 'u32',
      st_nlink: 'u32',
      st_uid: 'u32',
      st_gid: 'u32',
      st_rdev: 'u32',
      pad2: padding('long', 2),
      st_size: 'long',
      pad3: padding('long'),
      st_atime: 'long',
      st_atime_nsec: 'long',
      st_mtime: 'long',
      st_mtime_nsec: 'long',
      st_ctime: 'long',
      st_ctime_nsec: 'long',
      st_blksize: 'long',
      st_blocks: 'long',
      pad4: padding('long', 14),
    }),
    stat64: structLayout(O32, {
      st_dev: 'ulong',
      pad0: padding('ulong', 3),
      st_ino: 'u64',
      st_mode: 'u32',
      st_nlink: 'u32',
      st_uid: 'u32',
      st_gid: 'u32',
      st_rdev: 'ulong',
      pad1: padding('ulong', 3),
      st_size: 'i64',
      st_atime: 'long',
      st_atime_nsec: 'ulong',
      st_mtime: 'long',
      st_mtime_nsec: 'ulong',
      st_ctime: 'long',
      st_ctime_nsec: 'ulong',
      st_blksize: 'ulong',
      pad2: padding('ulong'),
      st_blocks: 'i64',
    }),
    statfs: structLayout(O32, {
      f_type: 'long',
      f_bsize: 'long',
      f_frsize: 'long',
      f_blocks: 'long',
      f_bfree: 'long',
      f_files: 'long',
      f_ffree: 'long',
      f_bavail: 'long',
      f_fsid: padding('i32', 2),
      f_namelen: 'long',
      f_flags: 'long',
      spare: padding('long', 5),
    }),
    statfs64: structLayout(O32, {
      f_type: 'u32',
      f_bsize: 'u32',
      f_frsize: 'u32',
      pad: padding('u32'),
      f_blocks: 'u64',
      f_bfree: 'u64',
      f_files: 'u64',
      f_ffree: 'u64',
      f_bavail: 'u64',
      f_fsid: padding('i32', 2),
      f_namelen: 'u32',
      f_flags: 'u32',
      spare: padding('u32', 5),
    }),
    flock: structLayout(O32, {
      l_type: 'i16',
      l_whence: 'i16',
      l_start: 'long',
      l_len: 'long',
      l_sysid: padding('long'),
      l_pid: 'i32',
      pad: padding('long', 4),
    }),
    flock64: structLayout(O32, { l_type: 'i16', l_whence: 'i16', l_start: 'i64', l_len: 'i64', l_pid: 'i32' }),
    timespec: structLayout(O32, { tv_sec: 'long', tv_nsec: 'long' }),
    timeval: structLayout(O32, { tv_sec: 'long', tv_usec: 'long' }),
    epollEvent: structLayout(O32, { events: 'u32', data: 'u64' }),
    iovec: structLayout(O32, { iov_base: 'pointer', iov_len: 'ulong' }),
    msghdr: structLayout(O32, {
      msg_name: 'pointer',
      msg_namelen: 'i32',
      msg_iov: 'pointer',
      msg_iovlen: 'ulong',
      msg_control: 'pointer',
      msg_controllen: 'ulong',
      msg_flags: 'u32',
    }),
    cmsghdr: structLayout(O32, { cmsg_len: 'ulong', cmsg_level: 'i32', cmsg_type: 'i32' }),
    termios: structLayout(O32, {
      c_iflag: 'u32',
      c_oflag: 'u32',
      c_cflag: 'u32',
      c_lflag: 'u32',
      c_line: 'u8',
      c_cc: bytes(23),
    }),
  },

  openFlags: {
    O_APPEND: 0x8,
    O_DSYNC: 0x10,
    O_NONBLOCK: 0x80,
    O_CREAT: 0x100,
    O_TRUNC: 0x200,
    O_EXCL: 0x400,
    O_NOCTTY: 0x800,
    O_ASYNC: 0x1000,
    O_LARGEFILE: 0x2000,
    O_SYNC: 0x4010,
    O_DIRECT: 0x8000,
    O_DIRECTORY: 0o200000,
    O_NOFOLLOW: 0o400000,
    O_NOATIME: 0o1000000,
    O_CLOEXEC: 0o2000000,
    O_PATH: 0o10000000,
    O_TMPFILE: 0o20200000,
  },

  fcntl: {
    F_GETLK: 14,
    F_SETLK: 6,
    F_SETLKW: 7,
    F_GETLK64: 33,
    F_SETLK64: 34,
    F_SETLKW64: 35,
    F_SETOWN: 24,
    F_GETOWN: 23,
  },

  ioctl: {
    TCGETS: 0x540d,
    TCSETS: 0x540e,
    TCSETSW: 0x540f,
    TCSETSF: 0x5410,
    TCSBRK: 0x5405,
    TCXONC: 0x5406,
    TCFLSH: 0x5407,
    TIOCGWINSZ: ioc(READ, 't', 104, 8),
    TIOCSWINSZ: ioc(WRITE, 't', 103, 8),
    TIOCGPGRP: ioc(READ, 't', 119, 4),
    TIOCSPGRP: ioc(WRITE, 't', 118, 4),
    TIOCGSID: 0x7416,
    TIOCSCTTY: 0x5480,
    TIOCNOTTY: 0x5471,
    TIOCOUTQ: 0x7472,
    FIONREAD: 0x467f,
    FIONBIO: 0x667e,
    FIOASYNC: 0x667d,
    FIOCLEX: 0x6601,
    FIONCLEX: 0x6602,
  },

  socket: {
    SOL_SOCKET: 0xffff,
    types: { SOCK_DGRAM: 1, SOCK_STREAM: 2, SOCK_RAW: 3, SOCK_SEQPACKET: 5 },
    options: {
      SO_DEBUG: 0x0001,
      SO_REUSEADDR: 0x0004,
      SO_KEEPALIVE: 0x0008,
      SO_DONTROUTE: 0x0010,
      SO_BROADCAST: 0x0020,
      SO_LINGER: 0x0080,
      SO_OOBINLINE: 0x0100,
      SO_REUSEPORT: 0x0200,
      SO_SNDBUF: 0x1001,
      SO_RCVBUF: 0x1002,
      SO_SNDLOWAT: 0x1003,
      SO_RCVLOWAT: 0x1004,
      SO_SNDTIMEO_OLD: 0x1005,
      SO_RCVTIMEO_OLD: 0x1006,
      SO_ERROR: 0x1007,
      SO_TYPE: 0x1008,
      SO_ACCEPTCONN: 0x1009,
      SO_PROTOCOL: 0x1028,
      SO_DOMAIN: 0x1029,
      SO_PRIORITY: 12,
      SO_PASSCRED: 17,
      SO_PEERCRED: 18,
      SO_TIMESTAMP_OLD: 29,
      SO_SNDBUFFORCE: 31,
      SO_RCVBUFFORCE: 33,
      SO_TIMESTAMP_NEW: 63,
      SO_RCVTIMEO_NEW: 66,
      SO_SNDTIMEO_NEW: 67,
    },
  },

  termios: {
    bits: { ISIG: 0x1, ICANON: 0x2, ECHO: 0x8 },
    // asm/termios.h, INIT_C_CC, and tty_std_termios: 38400 baud, 8 bits, canonical, echoing.
    defaults: {
      c_iflag: 0o400 | 0x400, // ICRNL | IXON
      c_oflag: 0x1 | 0x4, // OPOST | ONLCR
      c_cflag: 0o17 | 0x30 | 0x80 | 0x400, // B38400 | CS8 | CREAD | HUPCL
      c_lflag: 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x200 | 0x800 | 0x100, // ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN
      c_cc: {
        0: 0x03, // VINTR ^C
        1: 0x1c, // VQUIT ^\
        2: 0x7f, // VERASE DEL
        3: 0x15, // VKILL ^U
        4: 1, // VMIN
        8: 0x11, // VSTART ^Q
        9: 0x13, // VSTOP ^S
        10: 0x1a, // VSUSP ^Z
        12: 0x12, // VREPRINT ^R
        13: 0x0f, // VDISCARD ^O
        14: 0x17, // VWERASE ^W
        15: 0x16, // VLNEXT ^V
        16: 0x04, // VEOF ^D
      },
    },
  },

  arguments: {
    pread64: ['word', 'word', 'word', 'pad', 'int64'],
    pwrite64: ['word', 'word', 'word', 'pad', 'int64'],
    preadv: ['word', 'word', 'word', 'lowHigh'],
    pwritev: ['word', 'word', 'word', 'lowHigh'],
    preadv2: ['word', 'word', 'word', 'lowHigh', 'word'],
    pwritev2: ['word', 'word', 'word', 'lowHigh', 'word'],
    truncate64: ['word', 'pad', 'int64'],
    ftruncate64: ['word', 'pad', 'int64'],
    fallocate: ['word', 'word', 'int64', 'int64'],
    fadvise64: ['word', 'pad', 'int64', 'int64', 'word'],
    sync_file_range: ['word', 'pad', 'int64', 'int64', 'word'],
    readahead: ['word', 'pad', 'int64', 'word'],
    _llseek: ['word', 'highLow', 'word', 'word'],
  },
};
