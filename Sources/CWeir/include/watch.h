// Watching a program by seccomp user notification: seccomp_unotify(2). Included by CWeir.h.
//
// Every function returns a number of at least 0, or a negative errno, if nothing else is said.
#ifndef CWEIR_WATCH_H
#define CWEIR_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A command to start under watch. The texts are the caller's; the lists end with a null pointer.
typedef struct {
    const char *path;
    char *const *arguments;
    char *const *environment;
    // Whether datagrams with addresses are watched, besides connect, getpeername, getsockname and SO_ERROR.
    bool watches_datagrams;
    // Whether the calls of servers are watched: listen and accept.
    bool serves;
    // The signals that the command ignores, and blocks, a bit for each, bit 0 for signal 1: it has the defaults of all
    // others.
    uint64_t ignored;
    uint64_t blocked;
    // The limits on descriptors that the command gets: RLIMIT_NOFILE; not set if the hard one is 0.
    uint64_t soft_descriptors;
    uint64_t hard_descriptors;
} weir_command;

// A command that was started: its number, and the listener for its calls, which closes on exec; descriptor, a pidfd(2), is
// open during the start alone.
typedef struct {
    int process;
    int descriptor;
    int listener;
    // Open as long as this process answers calls, then another one lets them pass; a negative errno if there is none.
    int lifeline;
    // Whether the command and its programs cannot gain privileges (no_new_privs), though they could without being watched;
    // then they are watched when they execute a file.
    bool watches_executions;
} weir_program;

// The step at which a start failed.
enum {
    WEIR_START_FORK = 1,      // no process
    WEIR_START_FILTER = 2,    // the filter was refused
    WEIR_START_LISTENER = 3,  // the listener could not be taken over
    WEIR_START_MEMORY = 4,    // the process's memory cannot be read
    WEIR_START_EXECUTE = 5,   // the command cannot be executed
};

// Starts a command under watch; *step is the failed step. The command runs when this returns 0.
int weir_watch_start(const weir_command *command, weir_program *program, int *step);
// Makes processes whose parents end children of this one.
int weir_adopt_orphans(void);

// Starts a small process that lets all calls of a listener pass once this process has ended, in whatever way, and ends with the
// last program whose calls are watched; returns a descriptor that must stay open as long as this process answers calls.
int weir_standby_start(int listener);
// Notes a call that was taken, as it may stay unanswered.
void weir_standby_note(uint64_t id);

// The calls that are watched.
enum {
    WEIR_CALL_OTHER = 0,
    WEIR_CALL_CONNECT,
    WEIR_CALL_GETPEERNAME,
    WEIR_CALL_GETSOCKNAME,
    WEIR_CALL_GETSOCKOPT,
    WEIR_CALL_SENDTO,
    WEIR_CALL_SENDMSG,
    WEIR_CALL_SENDMMSG,
    WEIR_CALL_RECVFROM,
    WEIR_CALL_RECVMSG,
    WEIR_CALL_RECVMMSG,
    WEIR_CALL_LISTEN,
    WEIR_CALL_ACCEPT,
    WEIR_CALL_ACCEPT4,
    // connect by socketcall(2) of a program of 32 bits: its arguments are an array in its memory.
    WEIR_CALL_SOCKETCALL,
    WEIR_CALL_EXECVE,
    WEIR_CALL_EXECVEAT,
};

// A call that waits for an answer.
typedef struct {
    uint64_t id;
    uint64_t arguments[6];
    uint64_t instruction;
    int32_t thread;
    int32_t number;
    uint32_t kind;
} weir_call;

// Takes the next call; -ENOENT if it ended meanwhile, -EINTR if a signal came.
int weir_call_take(int listener, weir_call *call);
// Answers a call: with a value, with an error if that is above 0, or lets the kernel perform it; -ENOENT if the call was
// interrupted.
int weir_call_answer(int listener, uint64_t id, int64_t value, int error);
int weir_call_continue(int listener, uint64_t id);
// Answers a call with a duplicate of a descriptor, and returns the number that it has there; -ENOENT if the call was
// interrupted, -EMFILE if its process may open no more.
int weir_call_give(int listener, uint64_t id, int fd, bool closes_on_execute);
// Returns whether this kernel can do so: since Linux 5.9.
bool weir_call_can_give(int listener);
// Returns whether a call still waits: its thread, and so its number, are still those.
bool weir_call_waits(int listener, uint64_t id);
// Wakes a thread that answers calls on the caller's processor, where the kernel can; a hint.
void weir_call_wake_here(int listener);

// Reads or writes a process's memory, whole or not at all.
int weir_memory_read(int thread, uint64_t address, void *bytes, size_t length);
int weir_memory_write(int thread, uint64_t address, const void *bytes, size_t length);

// Returns a descriptor of a thread for weir_descriptor_take, which may be kept for its later calls; -ESRCH if it has ended.
int weir_thread_open(int thread, bool *may_be_kept);
// Returns the number of a thread's process.
int weir_process_of(int thread);
// Duplicates a descriptor of a process.
int weir_descriptor_take(int process, int descriptor);

// What is known of a socket.
typedef struct {
    uint64_t cookie;
    int family;
    int type;
    int protocol;
    // TCP: the state (1 established, 2 SYN sent, 7 closed, 10 listening).
    int state;
    bool is_blocking;
    // Bound to a device, marked, or in another network namespace: its packets go ways that only it can go.
    bool is_bound_to_device;
    bool is_marked;
    bool is_elsewhere;
} weir_socket_facts;

int weir_socket_facts_read(int fd, weir_socket_facts *facts);
// Sets whether calls on an open file block; returns how it was, 1 or 0.
int weir_set_blocking(int fd, bool blocks);

// A file that a thread executes, and the privileges that it would give to the thread: none on a file system that gives none
// (nosuid), and none to a script.
typedef struct {
    uint64_t device;
    uint64_t number;
    bool sets_user;
    bool sets_group;
    bool has_capabilities;
} weir_executed_file;

// Reads these of a path as a thread names it: relative to its folder (AT_FDCWD) or to one of its descriptors.
int weir_executed_file_read(int thread, int directory, const char *path, weir_executed_file *file);

// Gives a socket the options that it would have if a listening socket had accepted it, where those differ from another
// listening socket's, which did.
void weir_inherit(int listening, int other, int fd);

// A message of sendmsg(2) or recvmsg(2): peer is a struct sockaddr_storage.
typedef struct {
    void *bytes;
    size_t length;
    void *peer;
    uint32_t peer_length;
    void *control;
    size_t control_length;
    int flags;
} weir_message;

// Sends a message without waiting; source addresses in its control messages are left out, as the loopback has its own.
int64_t weir_message_send(int fd, weir_message *message, int flags);
// Receives a message without waiting; sets the lengths and flags to what came.
int64_t weir_message_receive(int fd, weir_message *message, int flags);

#endif
