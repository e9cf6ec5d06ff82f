#define _GNU_SOURCE
#include "CWeir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int open_path(int folder, const char *path) {
    int fd = openat(folder, path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

// Opens a file as a thread names it: below its own root, if that is not this process's.
static int open_executed(int thread, int directory, const char *path) {
    char name[64];
    if (path[0] == '/') {
        struct stat own, root;
        snprintf(name, sizeof name, "/proc/%d/root", thread);
        if (stat(name, &root) < 0 || stat("/", &own) < 0) return -errno;
        if (own.st_dev == root.st_dev && own.st_ino == root.st_ino) return open_path(AT_FDCWD, path);
        int folder = open_path(AT_FDCWD, name);
        if (folder < 0) return folder;
        struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
        int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
        int error = errno;
        close(folder);
        return fd < 0 ? -error : fd;
    }
    if (directory == AT_FDCWD) {
        snprintf(name, sizeof name, "/proc/%d/cwd", thread);
    } else {
        snprintf(name, sizeof name, "/proc/%d/fd/%d", thread, directory);
    }
    int folder = open_path(AT_FDCWD, name);
    // Without a path the descriptor itself is executed (AT_EMPTY_PATH).
    if (folder < 0 || path[0] == 0) return folder;
    int fd = open_path(folder, path);
    close(folder);
    return fd;
}

// Returns whether a file's capabilities give any that are permitted: capabilities(7).
static bool has_capabilities(const char *name) {
    struct vfs_ns_cap_data data = {0};
    ssize_t length = getxattr(name, "security.capability", &data, sizeof data);
    if (length < (ssize_t)XATTR_CAPS_SZ_1) return false;
    return data.data[0].permitted != 0 || (length >= (ssize_t)XATTR_CAPS_SZ_2 && data.data[1].permitted != 0);
}

// Returns whether a file begins as a script does; the kernel then looks at its interpreter's privileges alone.
static bool is_script(const char *name) {
    char start[2] = {0};
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    ssize_t count = read(fd, start, sizeof start);
    close(fd);
    return count == 2 && start[0] == '#' && start[1] == '!';
}

int weir_executed_file_read(int thread, int directory, const char *path, weir_executed_file *file) {
    memset(file, 0, sizeof *file);
    int fd = open_executed(thread, directory, path);
    if (fd < 0) return fd;
    char name[64];
    struct stat status, caller;
    struct statvfs mount;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    bool is_plain = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) == 0;
    if (is_plain) {
        file->device = status.st_dev;
        file->number = status.st_ino;
        char process[64];
        snprintf(process, sizeof process, "/proc/%d", thread);
        bool is_known = stat(process, &caller) == 0 && fstatvfs(fd, &mount) == 0 && !(mount.f_flag & ST_NOSUID);
        // A file of the caller's own user gives nothing; without execution by the group the bit means locks.
        mode_t group = S_ISGID | S_IXGRP;
        file->sets_user = is_known && status.st_mode & S_ISUID && status.st_uid != caller.st_uid;
        file->sets_group = is_known && (status.st_mode & group) == group && status.st_gid != caller.st_gid;
        file->has_capabilities = is_known && caller.st_uid != 0 && has_capabilities(name);
        if ((file->sets_user || file->sets_group || file->has_capabilities) && is_script(name)) {
            file->sets_user = file->sets_group = file->has_capabilities = false;
        }
    }
    close(fd);
    return is_plain ? 0 : -EACCES;
}
