#define _GNU_SOURCE
#include "CWeir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1
#endif

#ifndef SECCOMP_IOCTL_NOTIF_ADDFD
struct seccomp_notif_addfd {
    __u64 id;
    __u32 flags;
    __u32 srcfd;
    __u32 newfd;
    __u32 newfd_flags;
};
#define SECCOMP_IOCTL_NOTIF_ADDFD SECCOMP_IOW(3, struct seccomp_notif_addfd)
#endif
#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1UL << 1)
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define ARCHITECTURE_32 AUDIT_ARCH_I386
enum { CONNECT_32 = 362, SOCKETCALL_32 = 102, EXECVE_32 = 11, EXECVEAT_32 = 358 };
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define ARCHITECTURE_32 AUDIT_ARCH_ARM
enum { CONNECT_32 = 283, SOCKETCALL_32 = 102, EXECVE_32 = 11, EXECVEAT_32 = 387 };
#else
#error "weir run: which numbers do the system calls of this architecture have?"
#endif

// MARK: - The filter

enum { LENGTH = 96 };

typedef struct {
    struct sock_filter steps[LENGTH];
    unsigned count;
} filter;

static void add(filter *f, uint16_t code, uint32_t value, uint8_t yes, uint8_t no) {
    if (f->count < LENGTH) f->steps[f->count++] = (struct sock_filter)BPF_JUMP(code, value, yes, no);
}

static void load(filter *f, size_t offset) { add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
static void answer(filter *f, uint32_t value) { add(f, BPF_RET | BPF_K, value, 0, 0); }
// Skips the next steps if the loaded word is not this one.
static void if_equal(filter *f, uint32_t value, uint8_t skipped) { add(f, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped); }

static size_t argument(int index) { return offsetof(struct seccomp_data, args) + 8 * (size_t)index; }

// Notifies of a call, whatever its arguments.
static void notify(filter *f, uint32_t number) {
    if_equal(f, number, 1);
    answer(f, SECCOMP_RET_USER_NOTIF);
}

// Notifies of a call whose argument, an address, is not null: a program without position-independent code has addresses of
// which one half is 0.
static void notify_if_set(filter *f, uint32_t number, int index) {
    if_equal(f, number, 6);
    load(f, argument(index));
    if_equal(f, 0, 3);
    load(f, argument(index) + 4);
    if_equal(f, 0, 1);
    answer(f, SECCOMP_RET_ALLOW);
    answer(f, SECCOMP_RET_USER_NOTIF);
}

static void make_filter(filter *f, const weir_command *command, bool watches_executions) {
    f->count = 0;
    load(f, offsetof(struct seccomp_data, arch));
    // The calls of programs of 32 bits stand at the end.
    add(f, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    unsigned other = f->count;
    add(f, BPF_JMP | BPF_JA, 0, 0, 0);
    load(f, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    // The calls of the x32 interface.
    add(f, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
    answer(f, SECCOMP_RET_ERRNO | ENOSYS);
#endif
    // With an address: a datagram, or TCP's fast open. First, as programs make no other of these calls so often.
    notify_if_set(f, SYS_sendto, 4);
    if (command->watches_datagrams) notify_if_set(f, SYS_recvfrom, 4);
    notify(f, SYS_connect);
    notify(f, SYS_getpeername);
    notify(f, SYS_getsockname);
    if (command->watches_datagrams) {
        notify(f, SYS_sendmsg);
        notify(f, SYS_sendmmsg);
        notify(f, SYS_recvmsg);
        notify(f, SYS_recvmmsg);
    }
    if (command->serves) {
        notify(f, SYS_listen);
        notify(f, SYS_accept);
        notify(f, SYS_accept4);
    }
    // io_uring's calls would pass the filter: programs use others if there is none.
    if_equal(f, SYS_io_uring_setup, 1);
    answer(f, SECCOMP_RET_ERRNO | ENOSYS);
    if_equal(f, SYS_getsockopt, 5);
    load(f, argument(1));
    if_equal(f, SOL_SOCKET, 3);
    load(f, argument(2));
    if_equal(f, SO_ERROR, 1);
    answer(f, SECCOMP_RET_USER_NOTIF);
    if (watches_executions) {
        notify(f, SYS_execve);
        notify(f, SYS_execveat);
    }
    answer(f, SECCOMP_RET_ALLOW);
    f->steps[other].k = f->count - other - 1;
    if_equal(f, ARCHITECTURE_32, watches_executions ? 11 : 7);
    load(f, offsetof(struct seccomp_data, nr));
    if (watches_executions) {
        notify(f, EXECVE_32);
        notify(f, EXECVEAT_32);
    }
    notify(f, CONNECT_32);
    if_equal(f, SOCKETCALL_32, 3);
    load(f, argument(0));
    if_equal(f, 3, 1);
    answer(f, SECCOMP_RET_USER_NOTIF);
    answer(f, SECCOMP_RET_ALLOW);
}

// MARK: - The start

typedef struct {
    int step;
    int value;
    bool watches_executions;
} message;

static void tell(int fd, int step, int value, bool watches_executions) {
    message told = {.step = step, .value = value, .watches_executions = watches_executions};
    while (write(fd, &told, sizeof told) < 0 && errno == EINTR) {}
}

// Returns whether a whole message came.
static bool hear(int fd, message *heard) {
    ssize_t count;
    do { count = read(fd, heard, sizeof *heard); } while (count < 0 && errno == EINTR);
    return count == sizeof *heard;
}

// Lets the child install its filter: which of the two, and whether it took the second, is in *watches_executions.
static int install(const struct sock_fprog programs[2], bool *watches_executions) {
    // A process that cannot gain privileges anyway loses none by being watched.
    bool is_bound = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    int listener = -1;
    *watches_executions = false;
    // Root may have filters without giving up what set-user-id programs need, if it has CAP_SYS_ADMIN.
    if (is_bound || syscall(SYS_geteuid) == 0) {
        listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &programs[0]);
        if (listener >= 0 || errno != EACCES) return listener;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
    *watches_executions = true;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &programs[1]);
}

// The child, from its first call to the command's start: only system calls, on memory that the parent made.
static void become(const weir_command *command, const struct sock_fprog programs[2], int fd) {
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action = {.sa_handler = SIG_DFL};
        if (command->ignored >> (number - 1) & 1) action.sa_handler = SIG_IGN;
        sigaction(number, &action, NULL);
    }
    if (command->hard_descriptors > 0) {
        struct rlimit limit = {.rlim_cur = command->soft_descriptors, .rlim_max = command->hard_descriptors};
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    bool watches_executions;
    int listener = install(programs, &watches_executions);
    if (listener < 0) {
        tell(fd, WEIR_START_FILTER, -errno, false);
        _exit(126);
    }
    tell(fd, 0, listener, watches_executions);
    message go;
    // The parent gave up, or has ended.
    if (!hear(fd, &go)) _exit(126);
    close(listener);
    sigset_t mask;
    sigemptyset(&mask);
    for (int number = 1; number < NSIG && number <= 64; number++) {
        if (command->blocked >> (number - 1) & 1) sigaddset(&mask, number);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    execve(command->path, command->arguments, command->environment);
    tell(fd, WEIR_START_EXECUTE, -errno, false);
    _exit(126);
}

// Makes a process as fork does, and its pidfd; where clone3 is refused, with fork itself.
static int make_process(int *descriptor) {
    struct clone_args arguments = {
        .flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)descriptor, .exit_signal = SIGCHLD,
    };
    long process = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (process >= 0 || (errno != ENOSYS && errno != EPERM)) return process < 0 ? -errno : (int)process;
    process = fork();
    if (process < 0) return -errno;
    if (process > 0) {
        *descriptor = (int)syscall(SYS_pidfd_open, process, 0);
        if (*descriptor < 0) {
            int error = errno;
            kill((pid_t)process, SIGKILL);
            waitpid((pid_t)process, NULL, 0);
            return -error;
        }
    }
    return (int)process;
}

static int give_up(weir_program *program, int fd, int error) {
    close(fd);
    if (program->listener >= 0) close(program->listener);
    if (program->lifeline >= 0) close(program->lifeline);
    kill(program->process, SIGKILL);
    while (waitpid(program->process, NULL, 0) < 0 && errno == EINTR) {}
    close(program->descriptor);
    return error;
}

// Lets the command's own execve pass, while nobody else answers calls; returns when the child has more to say, or has become
// the command.
//
// The end of its stream comes before the command's first call: a call that waits while the stream has not ended is execve. It
// may come again, if a signal such as a terminal's stop interrupts it.
static void let_execute(int listener, int fd) {
    while (true) {
        struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        int count = poll(both, 2, -1);
        if (count < 0 && errno != EINTR) return;
        if (count <= 0 || !(both[1].revents & POLLIN)) {
            if (count > 0) return;
            continue;
        }
        if (poll(both, 1, 0) > 0) return;
        weir_call call;
        if (weir_call_take(listener, &call) == 0) weir_call_continue(listener, call.id);
    }
}

int weir_watch_start(const weir_command *command, weir_program *program, int *step) {
    filter made[2];
    struct sock_fprog programs[2];
    int ends[2];
    *step = WEIR_START_FORK;
    for (int index = 0; index < 2; index++) {
        make_filter(&made[index], command, index == 1);
        if (made[index].count >= LENGTH) return -ENOMEM;
        programs[index] = (struct sock_fprog){.len = (unsigned short)made[index].count, .filter = made[index].steps};
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    *program = (weir_program){.listener = -1, .descriptor = -1, .lifeline = -1};
    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    int process = make_process(&program->descriptor);
    if (process == 0) {
        // Its own copy of the parent's end would keep it waiting if the parent gave up.
        close(ends[0]);
        become(command, programs, ends[1]);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return process;
    }
    program->process = process;
    message heard;
    *step = WEIR_START_FILTER;
    if (!hear(ends[0], &heard)) return give_up(program, ends[0], -ESRCH);
    if (heard.step != 0) return give_up(program, ends[0], heard.value);
    *step = WEIR_START_LISTENER;
    program->listener = weir_descriptor_take(program->descriptor, heard.value);
    if (program->listener < 0) return give_up(program, ends[0], program->listener);
    *step = WEIR_START_MEMORY;
    char first;
    int status = weir_memory_read(process, (uint64_t)(uintptr_t)command->path, &first, 1);
    if (status < 0) return give_up(program, ends[0], status);
    *step = WEIR_START_EXECUTE;
    // Before the command's first call: from here on nothing that happens to this process takes its network away.
    program->lifeline = weir_standby_start(program->listener);
    tell(ends[0], 0, 0, false);
    program->watches_executions = heard.watches_executions;
    if (program->watches_executions) let_execute(program->listener, ends[0]);
    // The end of the stream: the command has been started.
    if (hear(ends[0], &heard)) return give_up(program, ends[0], heard.value);
    close(ends[0]);
    close(program->descriptor);
    return 0;
}

int weir_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0; }

// MARK: - Calls

static uint32_t kind_of(const struct seccomp_data *data) {
    if (data->arch != ARCHITECTURE) {
        if (data->nr == CONNECT_32) return WEIR_CALL_CONNECT;
        if (data->nr == EXECVE_32) return WEIR_CALL_EXECVE;
        if (data->nr == EXECVEAT_32) return WEIR_CALL_EXECVEAT;
        return data->nr == SOCKETCALL_32 ? WEIR_CALL_SOCKETCALL : WEIR_CALL_OTHER;
    }
    switch (data->nr) {
    case SYS_connect: return WEIR_CALL_CONNECT;
    case SYS_getpeername: return WEIR_CALL_GETPEERNAME;
    case SYS_getsockname: return WEIR_CALL_GETSOCKNAME;
    case SYS_getsockopt: return WEIR_CALL_GETSOCKOPT;
    case SYS_sendto: return WEIR_CALL_SENDTO;
    case SYS_sendmsg: return WEIR_CALL_SENDMSG;
    case SYS_sendmmsg: return WEIR_CALL_SENDMMSG;
    case SYS_recvfrom: return WEIR_CALL_RECVFROM;
    case SYS_recvmsg: return WEIR_CALL_RECVMSG;
    case SYS_recvmmsg: return WEIR_CALL_RECVMMSG;
    case SYS_execve: return WEIR_CALL_EXECVE;
    case SYS_execveat: return WEIR_CALL_EXECVEAT;
    case SYS_listen: return WEIR_CALL_LISTEN;
    case SYS_accept: return WEIR_CALL_ACCEPT;
    case SYS_accept4: return WEIR_CALL_ACCEPT4;
    default: return WEIR_CALL_OTHER;
    }
}

// The kernel's structures may be longer than those of the headers.
typedef union {
    struct seccomp_notif notification;
    struct seccomp_notif_resp response;
    uint8_t bytes[1024];
} room;

int weir_call_take(int listener, weir_call *call) {
    room taken;
    memset(&taken, 0, sizeof taken);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &taken) < 0) return -errno;
    const struct seccomp_notif *notification = &taken.notification;
    call->id = notification->id;
    weir_standby_note(call->id);
    call->thread = (int32_t)notification->pid;
    call->number = notification->data.nr;
    call->instruction = notification->data.instruction_pointer;
    call->kind = kind_of(&notification->data);
    for (int index = 0; index < 6; index++) call->arguments[index] = notification->data.args[index];
    return 0;
}

static int respond(int listener, uint64_t id, int64_t value, int error, uint32_t flags) {
    room sent;
    memset(&sent, 0, sizeof sent);
    sent.response.id = id;
    sent.response.val = error > 0 ? 0 : value;
    sent.response.error = error > 0 ? -error : 0;
    sent.response.flags = flags;
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &sent) < 0 ? -errno : 0;
}

int weir_call_answer(int listener, uint64_t id, int64_t value, int error) { return respond(listener, id, value, error, 0); }

int weir_call_continue(int listener, uint64_t id) { return respond(listener, id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE); }

bool weir_call_waits(int listener, uint64_t id) { return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; }

static int add_descriptor(int listener, uint64_t id, int fd, bool closes_on_execute, unsigned flags) {
    struct seccomp_notif_addfd added = {
        .id = id, .flags = flags, .srcfd = (uint32_t)fd, .newfd_flags = closes_on_execute ? O_CLOEXEC : 0,
    };
    int given;
    do { given = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added); } while (given < 0 && errno == EINTR);
    if (given >= 0) return given;
    // A signal interrupted the call meanwhile.
    return errno == ESRCH ? -ENOENT : -errno;
}

int weir_call_give(int listener, uint64_t id, int fd, bool closes_on_execute) {
    int given = add_descriptor(listener, id, fd, closes_on_execute, SECCOMP_ADDFD_FLAG_SEND);
    if (given != -EINVAL) return given;
    // Before Linux 5.14 these are two steps.
    given = add_descriptor(listener, id, fd, closes_on_execute, 0);
    if (given < 0) return given;
    int status = respond(listener, id, given, 0, 0);
    return status < 0 ? status : given;
}

// No call has the number 0; an older kernel does not know the request at all.
bool weir_call_can_give(int listener) { return add_descriptor(listener, 0, listener, false, 0) == -ENOENT; }

void weir_call_wake_here(int listener) { ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP); }

// MARK: - A process's memory and descriptors

int weir_memory_read(int thread, uint64_t address, void *bytes, size_t length) {
    struct iovec here = {.iov_base = bytes, .iov_len = length};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
    ssize_t count = process_vm_readv(thread, &here, 1, &there, 1, 0);
    if (count < 0) return -errno;
    return (size_t)count == length ? 0 : -EFAULT;
}

int weir_memory_write(int thread, uint64_t address, const void *bytes, size_t length) {
    struct iovec here = {.iov_base = (void *)bytes, .iov_len = length};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
    ssize_t count = process_vm_writev(thread, &here, 1, &there, 1, 0);
    if (count < 0) return -errno;
    return (size_t)count == length ? 0 : -EFAULT;
}

// Returns the process of a thread, from /proc.
static int process_of(int thread) {
    char text[4096];
    snprintf(text, sizeof text, "/proc/%d/status", thread);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? -ESRCH : -errno;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    text[count > 0 ? count : 0] = 0;
    const char *line = strstr(text, "\nTgid:");
    int process = line ? atoi(line + 6) : 0;
    return process > 0 ? process : -ESRCH;
}

int weir_thread_open(int thread, bool *may_be_kept) {
    // Since Linux 6.9 a pidfd can be a single thread's: it is never another one's with the same number.
    *may_be_kept = true;
    int fd = (int)syscall(SYS_pidfd_open, thread, PIDFD_THREAD);
    if (fd < 0 && errno == EINVAL) fd = (int)syscall(SYS_pidfd_open, thread, 0);
    if (fd >= 0) return fd;
    // Not the first thread of its process: ENOENT, or EINVAL.
    if (errno != EINVAL && errno != ENOENT) return -errno;
    *may_be_kept = false;
    int process = process_of(thread);
    if (process < 0) return process;
    fd = (int)syscall(SYS_pidfd_open, process, 0);
    return fd < 0 ? -errno : fd;
}

int weir_process_of(int thread) { return process_of(thread); }

int weir_descriptor_take(int process, int descriptor) {
    int fd = (int)syscall(SYS_pidfd_getfd, process, descriptor, 0);
    return fd < 0 ? -errno : fd;
}

static int option(int fd, int level, int name) {
    int value = 0;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) < 0 ? -1 : value;
}

static uint64_t own_namespace(void) {
    static uint64_t cookie;
    if (cookie == 0) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        socklen_t length = sizeof cookie;
        if (fd >= 0) {
            getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length);
            close(fd);
        }
    }
    return cookie;
}

int weir_socket_facts_read(int fd, weir_socket_facts *facts) {
    memset(facts, 0, sizeof *facts);
    facts->family = option(fd, SOL_SOCKET, SO_DOMAIN);
    if (facts->family < 0) return -errno;
    facts->cookie = weir_cookie(fd);
    if (facts->family != AF_INET && facts->family != AF_INET6) return 0;
    facts->type = option(fd, SOL_SOCKET, SO_TYPE);
    facts->protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (facts->type == SOCK_STREAM && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) facts->state = info.tcpi_state;
    int flags = fcntl(fd, F_GETFL);
    facts->is_blocking = flags >= 0 && !(flags & O_NONBLOCK);
    char device[64];
    length = sizeof device;
    facts->is_bound_to_device = getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &length) == 0 && length > 0;
    if (facts->type == SOCK_DGRAM) {
        bool v4 = facts->family == AF_INET;
        if (option(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_UNICAST_IF : IPV6_UNICAST_IF) > 0) facts->is_bound_to_device = true;
    }
    facts->is_marked = option(fd, SOL_SOCKET, SO_MARK) > 0;
    uint64_t space = 0;
    length = sizeof space;
    if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &space, &length) == 0) facts->is_elsewhere = space != own_namespace();
    return 0;
}

// The options that a connection has from the listening socket that accepted it.
static const struct { int level, name; } inherited[] = {
    {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_OOBINLINE}, {SOL_SOCKET, SO_LINGER},
    {SOL_SOCKET, SO_RCVLOWAT}, {SOL_SOCKET, SO_RCVTIMEO}, {SOL_SOCKET, SO_SNDTIMEO}, {SOL_SOCKET, SO_REUSEADDR},
    {SOL_SOCKET, SO_REUSEPORT}, {SOL_SOCKET, SO_ZEROCOPY}, {SOL_SOCKET, SO_RCVBUF}, {SOL_SOCKET, SO_SNDBUF},
    {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_CORK}, {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT}, {IPPROTO_TCP, TCP_USER_TIMEOUT}, {IPPROTO_TCP, TCP_LINGER2},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT}, {IPPROTO_TCP, TCP_CONGESTION}, {IPPROTO_IP, IP_TOS}, {IPPROTO_IP, IP_TTL}, {IPPROTO_IPV6, IPV6_TCLASS},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS},
};

void weir_inherit(int listening, int other, int fd) {
    for (size_t index = 0; index < sizeof inherited / sizeof *inherited; index++) {
        int level = inherited[index].level, name = inherited[index].name;
        union { int number; char bytes[32]; } wanted, usual;
        socklen_t length = sizeof wanted, usual_length = sizeof usual;
        if (getsockopt(listening, level, name, &wanted, &length) < 0) continue;
        if (getsockopt(other, level, name, &usual, &usual_length) < 0) continue;
        if (length == usual_length && memcmp(&wanted, &usual, length) == 0) continue;
        // The kernel tells twice the size that was asked for: socket(7).
        if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_SNDBUF)) wanted.number /= 2;
        setsockopt(fd, level, name, &wanted, length);
    }
}

int weir_set_blocking(int fd, bool blocks) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    int wanted = blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
    if (wanted != flags && fcntl(fd, F_SETFL, wanted) < 0) return -errno;
    return flags & O_NONBLOCK ? 0 : 1;
}

// MARK: - Messages

// Leaves the source address of a packet out of control messages, and returns how long the others are.
static size_t without_source(uint8_t *control, size_t length) {
    struct msghdr header = {.msg_control = control, .msg_controllen = length};
    uint8_t *end = control;
    struct cmsghdr *next;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = next) {
        next = CMSG_NXTHDR(&header, c);
        size_t space = CMSG_ALIGN(c->cmsg_len);
        if (c->cmsg_len < sizeof *c || space > (size_t)(control + length - (uint8_t *)c)) space = (size_t)(control + length - (uint8_t *)c);
        bool is_source = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO);
        if (is_source) continue;
        memmove(end, c, space);
        end += space;
    }
    return (size_t)(end - control);
}

int64_t weir_message_send(int fd, weir_message *message, int flags) {
    struct iovec vector = {.iov_base = message->bytes, .iov_len = message->length};
    struct msghdr header = {.msg_name = message->peer, .msg_namelen = message->peer_length, .msg_iov = &vector, .msg_iovlen = 1};
    if (message->control_length > 0) {
        header.msg_controllen = without_source(message->control, message->control_length);
        header.msg_control = header.msg_controllen > 0 ? message->control : NULL;
    }
    ssize_t count = sendmsg(fd, &header, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
    return count < 0 ? -errno : count;
}

int64_t weir_message_receive(int fd, weir_message *message, int flags) {
    struct iovec vector = {.iov_base = message->bytes, .iov_len = message->length};
    struct msghdr header = {
        .msg_name = message->peer, .msg_namelen = message->peer_length, .msg_iov = &vector, .msg_iovlen = 1,
        .msg_control = message->control, .msg_controllen = message->control_length,
    };
    ssize_t count = recvmsg(fd, &header, (flags & ~MSG_WAITFORONE) | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return -errno;
    message->peer_length = header.msg_namelen;
    message->control_length = header.msg_controllen;
    message->flags = header.msg_flags & ~MSG_CMSG_CLOEXEC;
    return count;
}
