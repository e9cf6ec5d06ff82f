// The file helper: a process that keeps the right to create files in one folder, for a program that drops its own rights.
#define _GNU_SOURCE
#include "CWeir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAKE = 'm', REMOVE = 'r', REQUEST_SIZE = 512 };

// Sends a status, and a descriptor if there is one.
static void answer(int socket, int status, int fd) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = &status, .iov_len = sizeof status};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

static void make(int socket, int folder, const char *name, uint32_t user, uint32_t group) {
    int fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status = fd < 0 ? errno : 0;
    if (fd >= 0 && fchown(fd, user, group) < 0) {
        status = errno;
        unlinkat(folder, name, 0);
        close(fd);
        fd = -1;
    }
    answer(socket, status, fd);
    if (fd >= 0) close(fd);
}

// Deletes a file only if it is regular and the user owns it, like those that were created here.
static void discard(int socket, int folder, const char *name, uint32_t user) {
    struct stat status;
    int error = 0;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) < 0) error = errno;
    else if (!S_ISREG(status.st_mode) || status.st_uid != user) error = EPERM;
    else if (unlinkat(folder, name, 0) < 0) error = errno;
    answer(socket, error, -1);
}

static void serve(int socket, int folder, uint32_t user, uint32_t group) {
    char request[REQUEST_SIZE + 1];
    for (;;) {
        ssize_t count = recv(socket, request, REQUEST_SIZE, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) _exit(0);
        request[count] = 0;
        const char *name = request + 1;
        if (count < 2 || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..")) answer(socket, EINVAL, -1);
        else if (request[0] == MAKE) make(socket, folder, name, user, group);
        else if (request[0] == REMOVE) discard(socket, folder, name, user);
        else answer(socket, EINVAL, -1);
    }
}

// Closes every descriptor except two, of which the first must be the smaller one.
static void close_others(int first, int second) {
    if (first > 0) syscall(SYS_close_range, 0, first - 1, 0);
    if (second > first + 1) syscall(SYS_close_range, first + 1, second - 1, 0);
    syscall(SYS_close_range, second + 1, ~0U, 0);
}

int weir_file_helper_start(const char *path, uint32_t user, uint32_t group) {
    int ends[2];
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -errno;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        int error = errno;
        close(folder);
        return -error;
    }
    pid_t child = fork();
    if (child == 0) {
        // Use only calls that are safe in the child of a program with threads. The child ends when the other end is
        // closed.
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        prctl(PR_SET_NAME, "weir-files");
        close_others(folder < ends[1] ? folder : ends[1], folder < ends[1] ? ends[1] : folder);
        serve(ends[1], folder, user, group);
    }
    int error = errno;
    close(folder);
    close(ends[1]);
    if (child >= 0) return ends[0];
    close(ends[0]);
    return -error;
}

int weir_file_helper_ask(int helper, bool removes, const char *name) {
    char request[REQUEST_SIZE];
    size_t length = strlen(name);
    if (length >= sizeof request) return -ENAMETOOLONG;
    request[0] = removes ? REMOVE : MAKE;
    memcpy(request + 1, name, length);
    if (send(helper, request, length + 1, MSG_NOSIGNAL) < 0) return -errno;
    int status = 0;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = &status, .iov_len = sizeof status};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes,
    };
    ssize_t count;
    do count = recvmsg(helper, &message, MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    if (count != sizeof status) return -EPIPE;
    if (status != 0 || removes) return -status;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS) return -EIO;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

int weir_forbid_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0; }
