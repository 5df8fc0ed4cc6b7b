/**
 * What an architecture says of files, sockets and terminals in its Linux ABI. An architecture is added by one object of
 * this type; the system calls themselves (`user/files`) know no numbers but those that all architectures share.
 */
import type { BytesType, DataModel, IntegerType, StructLayout } from './layout.js';

/** A structure with these integer fields, of whatever width the ABI gives them. */
export type IntegerStruct<Name extends string> = StructLayout<Readonly<Record<Name, IntegerType>>>;

export type OpenFlag =
  | 'O_APPEND'
  | 'O_ASYNC'
  | 'O_CLOEXEC'
  | 'O_CREAT'
  | 'O_DIRECT'
  | 'O_DIRECTORY'
  | 'O_DSYNC'
  | 'O_EXCL'
  | 'O_LARGEFILE'
  | 'O_NOATIME'
  | 'O_NOCTTY'
  | 'O_NOFOLLOW'
  | 'O_NONBLOCK'
  | 'O_PATH'
  | 'O_SYNC'
  | 'O_TMPFILE'
  | 'O_TRUNC';

/** fcntl(2) commands whose numbers differ between architectures; the others are the same everywhere. */
export type FcntlCommand =
  'F_GETLK' | 'F_SETLK' | 'F_SETLKW' | 'F_GETLK64' | 'F_SETLK64' | 'F_SETLKW64' | 'F_SETOWN' | 'F_GETOWN';

export type IoctlCommand =
  | 'TCGETS'
  | 'TCSETS'
  | 'TCSETSW'
  | 'TCSETSF'
  | 'TCSBRK'
  | 'TCXONC'
  | 'TCFLSH'
  | 'TIOCGWINSZ'
  | 'TIOCSWINSZ'
  | 'TIOCGPGRP'
  | 'TIOCSPGRP'
  | 'TIOCGSID'
  | 'TIOCSCTTY'
  | 'TIOCNOTTY'
  | 'TIOCOUTQ'
  | 'FIONREAD'
  | 'FIONBIO'
  | 'FIOASYNC'
  | 'FIOCLEX'
  | 'FIONCLEX';

export type SocketOption =
  | 'SO_DEBUG'
  | 'SO_REUSEADDR'
  | 'SO_TYPE'
  | 'SO_ERROR'
  | 'SO_DONTROUTE'
  | 'SO_BROADCAST'
  | 'SO_SNDBUF'
  | 'SO_RCVBUF'
  | 'SO_SNDBUFFORCE'
  | 'SO_RCVBUFFORCE'
  | 'SO_KEEPALIVE'
  | 'SO_OOBINLINE'
  | 'SO_PRIORITY'
  | 'SO_LINGER'
  | 'SO_REUSEPORT'
  | 'SO_PASSCRED'
  | 'SO_PEERCRED'
  | 'SO_RCVLOWAT'
  | 'SO_SNDLOWAT'
  | 'SO_RCVTIMEO_OLD'
  | 'SO_SNDTIMEO_OLD'
  | 'SO_RCVTIMEO_NEW'
  | 'SO_SNDTIMEO_NEW'
  | 'SO_ACCEPTCONN'
  | 'SO_PROTOCOL'
  | 'SO_DOMAIN'
  | 'SO_TIMESTAMP_OLD'
  | 'SO_TIMESTAMP_NEW';

/** `c_lflag` and other bits that the terminal acts on. */
export interface TermiosBits {
  readonly ISIG: number;
  readonly ICANON: number;
  readonly ECHO: number;
}

/** Contents of a fresh terminal's `struct termios`. */
export interface TermiosDefaults {
  readonly c_iflag: number;
  readonly c_oflag: number;
  readonly c_cflag: number;
  readonly c_lflag: number;
  /** Control characters at their indices; the rest are 0 (disabled). */
  readonly c_cc: Readonly<Record<number, number>>;
}

export type StatField =
  | 'st_dev'
  | 'st_ino'
  | 'st_mode'
  | 'st_nlink'
  | 'st_uid'
  | 'st_gid'
  | 'st_rdev'
  | 'st_size'
  | 'st_atime'
  | 'st_atime_nsec'
  | 'st_mtime'
  | 'st_mtime_nsec'
  | 'st_ctime'
  | 'st_ctime_nsec'
  | 'st_blksize'
  | 'st_blocks';

export type StatfsField =
  | 'f_type'
  | 'f_bsize'
  | 'f_frsize'
  | 'f_blocks'
  | 'f_bfree'
  | 'f_files'
  | 'f_ffree'
  | 'f_bavail'
  | 'f_namelen'
  | 'f_flags';

export interface FileStructs {
  /** `stat(2)`; on 32-bit ABIs the one whose overflows are EOVERFLOW. */
  readonly stat: IntegerStruct<StatField>;
  /** The one of `stat64(2)`; absent where `stat` is 64 bits wide already. */
  readonly stat64?: IntegerStruct<StatField>;
  readonly statfs: IntegerStruct<StatfsField>;
  readonly statfs64?: IntegerStruct<StatfsField>;
  readonly flock: IntegerStruct<'l_type' | 'l_whence' | 'l_start' | 'l_len' | 'l_pid'>;
  readonly flock64?: IntegerStruct<'l_type' | 'l_whence' | 'l_start' | 'l_len' | 'l_pid'>;
  /** The ABI's own `timespec` and `timeval`; the time64 system calls use the 64-bit one, which all ABIs share. */
  readonly timespec: IntegerStruct<'tv_sec' | 'tv_nsec'>;
  readonly timeval: IntegerStruct<'tv_sec' | 'tv_usec'>;
  readonly epollEvent: IntegerStruct<'events' | 'data'>;
  readonly iovec: IntegerStruct<'iov_base' | 'iov_len'>;
  readonly msghdr: IntegerStruct<
    'msg_name' | 'msg_namelen' | 'msg_iov' | 'msg_iovlen' | 'msg_control' | 'msg_controllen' | 'msg_flags'
  >;
  readonly cmsghdr: IntegerStruct<'cmsg_len' | 'cmsg_level' | 'cmsg_type'>;
  readonly termios: StructLayout<{
    readonly c_iflag: 'u32';
    readonly c_oflag: 'u32';
    readonly c_cflag: 'u32';
    readonly c_lflag: 'u32';
    readonly c_line: 'u8';
    readonly c_cc: BytesType;
  }>;
}

/**
 * How a system call's argument words become arguments. `word`: one word as it is. `pad`: skipped (a 64-bit argument starts
 * at an even register). `int64`: two words in memory order, the high one first on big-endian machines. `lowHigh` and
 * `highLow`: two words in that order on every machine (preadv's `pos_l, pos_h`; `_llseek`'s `offset_high, offset_low`).
 * On 64-bit ABIs no system call needs this.
 */
export type ArgumentShape = 'word' | 'pad' | 'int64' | 'lowHigh' | 'highLow';

export interface LinuxFileAbi {
  readonly name: string;
  readonly dataModel: DataModel;
  readonly structs: FileStructs;
  readonly openFlags: Readonly<Record<OpenFlag, number>>;
  readonly fcntl: Readonly<Record<FcntlCommand, number | undefined>>;
  readonly ioctl: Readonly<Record<IoctlCommand, number>>;
  readonly socket: {
    readonly SOL_SOCKET: number;
    readonly types: Readonly<Record<'SOCK_STREAM' | 'SOCK_DGRAM' | 'SOCK_RAW' | 'SOCK_SEQPACKET', number>>;
    readonly options: Readonly<Record<SocketOption, number>>;
  };
  readonly termios: { readonly bits: TermiosBits; readonly defaults: TermiosDefaults };
  /** Error numbers by name: SO_ERROR hands them out as values. */
  errno(name: string): number | undefined;
  /** Bytes of the kernel's `sigset_t`. */
  readonly sigsetBytes: 8 | 16;
  /** pipe(2) returns the second descriptor in a register instead of storing both. */
  readonly pipeReturnsPair: boolean;
  /** System calls with 64-bit arguments, by generic name. */
  readonly arguments: Readonly<Record<string, readonly ArgumentShape[]>>;
}
