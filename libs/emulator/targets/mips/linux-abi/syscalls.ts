/**
 * System calls of MIPS o32 by number. Source: the user-space headers of Linux 6.1, asm/unistd_o32.h.
 */
import type { SyscallEntry } from '../../linux-abi/kernel-abi.js';

/** Numbers count from here, so that those of other systems' ABIs stay apart. */
const BASE = 4000;

/** Names in ascending order from a number on; what is missing between two rows was never a call. */
const NUMBERS: readonly (readonly [first: number, names: string])[] = [
  [0, 'syscall exit fork read write open close waitpid creat link unlink execve chdir time mknod chmod lchown break'],
  [19, 'lseek getpid mount umount setuid getuid'],
  [25, 'stime ptrace alarm'],
  [
    29,
    'pause utime stty gtty access nice ftime sync kill rename mkdir rmdir dup pipe times prof brk setgid getgid signal geteuid',
  ],
  [50, 'getegid acct umount2 lock ioctl fcntl mpx setpgid ulimit'],
  [
    60,
    'umask chroot ustat dup2 getppid getpgrp setsid sigaction sgetmask ssetmask setreuid setregid sigsuspend sigpending sethostname',
  ],
  [75, 'setrlimit getrlimit getrusage gettimeofday settimeofday getgroups setgroups'],
  [83, 'symlink'],
  [
    85,
    'readlink uselib swapon reboot readdir mmap munmap truncate ftruncate fchmod fchown getpriority setpriority profil statfs',
  ],
  [100, 'fstatfs ioperm socketcall syslog setitimer getitimer stat lstat fstat'],
  [
    110,
    'iopl vhangup idle vm86 wait4 swapoff sysinfo ipc fsync sigreturn clone setdomainname uname modify_ldt adjtimex',
  ],
  [
    125,
    'mprotect sigprocmask create_module init_module delete_module get_kernel_syms quotactl getpgid fchdir bdflush sysfs personality afs_syscall setfsuid setfsgid _llseek getdents _newselect flock msync readv writev cacheflush cachectl sysmips',
  ],
  [
    151,
    'getsid fdatasync _sysctl mlock munlock mlockall munlockall sched_setparam sched_getparam sched_setscheduler sched_getscheduler sched_yield sched_get_priority_max sched_get_priority_min sched_rr_get_interval nanosleep mremap accept bind connect getpeername getsockname getsockopt listen',
  ],
  [
    175,
    'recv recvfrom recvmsg send sendmsg sendto setsockopt shutdown socket socketpair setresuid getresuid query_module poll nfsservctl setresgid getresgid prctl rt_sigreturn rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_sigsuspend',
  ],
  [
    200,
    'pread64 pwrite64 chown getcwd capget capset sigaltstack sendfile getpmsg putpmsg mmap2 truncate64 ftruncate64 stat64 lstat64 fstat64 pivot_root mincore madvise getdents64 fcntl64',
  ],
  [222, 'gettid readahead setxattr'],
  [
    225,
    'lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr tkill sendfile64 futex sched_setaffinity sched_getaffinity io_setup io_destroy io_getevents io_submit io_cancel exit_group lookup_dcookie epoll_create epoll_ctl',
  ],
  [
    250,
    'epoll_wait remap_file_pages set_tid_address restart_syscall fadvise64 statfs64 fstatfs64 timer_create timer_settime timer_gettime timer_getoverrun timer_delete clock_settime clock_gettime clock_getres clock_nanosleep tgkill utimes mbind get_mempolicy set_mempolicy mq_open mq_unlink mq_timedsend mq_timedreceive',
  ],
  [275, 'mq_notify mq_getsetattr vserver waitid'],
  [
    280,
    'add_key request_key keyctl set_thread_area inotify_init inotify_add_watch inotify_rm_watch migrate_pages openat mkdirat mknodat fchownat futimesat fstatat64 unlinkat renameat linkat symlinkat readlinkat fchmodat',
  ],
  [
    300,
    'faccessat pselect6 ppoll unshare splice sync_file_range tee vmsplice move_pages set_robust_list get_robust_list kexec_load getcpu epoll_pwait ioprio_set ioprio_get utimensat signalfd timerfd eventfd fallocate timerfd_create timerfd_gettime timerfd_settime signalfd4',
  ],
  [
    325,
    'eventfd2 epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev rt_tgsigqueueinfo perf_event_open accept4 recvmmsg fanotify_init fanotify_mark prlimit64 name_to_handle_at open_by_handle_at clock_adjtime syncfs sendmmsg setns process_vm_readv process_vm_writev kcmp finit_module sched_setattr',
  ],
  [
    350,
    'sched_getattr renameat2 seccomp getrandom memfd_create bpf execveat userfaultfd membarrier mlock2 copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx rseq io_pgetevents',
  ],
  [393, 'semget semctl shmget shmctl shmat shmdt msgget'],
  [
    400,
    'msgsnd msgrcv msgctl clock_gettime64 clock_settime64 clock_adjtime64 clock_getres_time64 clock_nanosleep_time64 timer_gettime64 timer_settime64 timerfd_gettime64 timerfd_settime64 utimensat_time64 pselect6_time64 ppoll_time64',
  ],
  [
    416,
    'io_pgetevents_time64 recvmmsg_time64 mq_timedsend_time64 mq_timedreceive_time64 semtimedop_time64 rt_sigtimedwait_time64 futex_time64 sched_rr_get_interval_time64 pidfd_send_signal',
  ],
  [
    425,
    'io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule landlock_restrict_self',
  ],
  [448, 'process_mrelease futex_waitv'],
  [450, 'set_mempolicy_home_node'],
];

/** Calls that take more words than the four argument registers hold; the others lie on the stack. */
const STACK_WORDS: readonly (readonly [words: number, names: string])[] = [
  [
    5,
    '_llseek _newselect add_key clone execveat fchownat fsconfig fsetxattr futex_waitv get_mempolicy getsockopt kcmp keyctl linkat lsetxattr mount mount_setattr move_mount mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mremap msgrcv name_to_handle_at perf_event_open ppoll ppoll_time64 prctl preadv process_madvise pwritev readahead recvmmsg recvmmsg_time64 remap_file_pages renameat2 setsockopt setxattr statx waitid',
  ],
  [
    6,
    'copy_file_range epoll_pwait epoll_pwait2 fallocate fanotify_mark futex futex_time64 io_pgetevents io_pgetevents_time64 io_uring_enter ipc mbind mmap mmap2 move_pages pread64 preadv2 process_vm_readv process_vm_writev pselect6 pselect6_time64 pwrite64 pwritev2 recvfrom sendto splice',
  ],
  [7, 'fadvise64 sync_file_range'],
];

const known = new Map<number, SyscallEntry>();

/** A call by its number, undefined where there is none. Programs make few of all: those are found out one by one. */
export function o32Syscall(number: number): SyscallEntry | undefined {
  const there = known.get(number);
  if (there) return there;
  const row = NUMBERS.findLast(([first]) => BASE + first <= number);
  const name = row?.[1].split(' ')[number - BASE - row[0]];
  if (name === undefined) return undefined;
  const [words = 4] = STACK_WORDS.find(([, names]) => names.split(' ').includes(name)) ?? [];
  known.set(number, { name, words });
  return { name, words };
}

export const O32 = {
  /** syscall(2) itself: the number is the first argument. */
  indirect: BASE,
  /** Argument words of a call: at least the four in registers. */
  words: (number: number): number => o32Syscall(number)?.words ?? 4,
} as const;
