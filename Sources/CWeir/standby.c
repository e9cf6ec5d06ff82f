#define _GNU_SOURCE
#include "CWeir.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// The numbers of the calls that were taken: the kernel counts them up from a random one. In memory that both processes share.
static struct {
    uint64_t first;
    uint64_t last;
} *taken;

void weir_standby_note(uint64_t id) {
    if (!taken) return;
    if (taken->first == 0) taken->first = id;
    taken->last = id;
}

static void close_others(int first, int second) {
    unsigned low = (unsigned)(first < second ? first : second), high = (unsigned)(first < second ? second : first);
    if (low > 0) syscall(SYS_close_range, 0, low - 1, 0);
    if (high > low + 1) syscall(SYS_close_range, low + 1, high - 1, 0);
    if (syscall(SYS_close_range, high + 1, ~0U, 0) == 0 || errno != ENOSYS) return;
    // Before Linux 5.9.
    for (int fd = 0; fd < 4096; fd++) {
        if (fd != first && fd != second) close(fd);
    }
}

// The process that stands by: only system calls, as the other threads of its maker are not there.
static void stand_by(int listener, int lifeline) {
    close_others(listener, lifeline);
    setsid();
    // So that no folder stays in use.
    if (chdir("/") < 0) {}
    prctl(PR_SET_NAME, "weir-standby");
    struct pollfd both[2] = {{.fd = listener}, {.fd = lifeline}};
    while (both[1].revents == 0) {
        if (poll(both, 2, -1) < 0 && errno != EINTR) _exit(0);
        // No program is left whose calls are watched.
        if (both[0].revents != 0) _exit(0);
    }
    // Those that were taken, and not answered, the latest first; one may not be noted yet. New ones do not wait for them.
    uint64_t first = taken->first, next = taken->last + 8;
    both[0].events = POLLIN;
    while (true) {
        for (int count = 0; count < 256 && next != first; count++) weir_call_continue(listener, --next);
        both[0].revents = 0;
        if (poll(both, 1, next == first ? -1 : 0) < 0 && errno != EINTR) _exit(0);
        weir_call call;
        if (both[0].revents & POLLIN) {
            if (weir_call_take(listener, &call) == 0) weir_call_continue(listener, call.id);
        } else if (both[0].revents != 0) {
            _exit(0);
        }
    }
}

int weir_standby_start(int listener) {
    void *memory = mmap(NULL, sizeof *taken, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (memory == MAP_FAILED) return -errno;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        int error = errno;
        munmap(memory, sizeof *taken);
        return -error;
    }
    taken = memory;
    sigset_t all, mask;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &mask);
    // Without a signal at its end: who waits for children does not wait for it.
    long process = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (process == 0) stand_by(listener, ends[1]);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    close(ends[1]);
    if (process > 0) return ends[0];
    close(ends[0]);
    taken = NULL;
    munmap(memory, sizeof *taken);
    return -error;
}
