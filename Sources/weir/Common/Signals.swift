import Glibc
import WeirEngine
import WeirRelay

/// The signals that end the program; the main thread waits for them.
enum Signals {
    /// The signals that end the program; not SIGHUP if nohup(1) has it ignored: a blocked signal arrives all the same.
    private static let ending = isIgnored(SIGHUP) ? [SIGINT, SIGTERM] : [SIGINT, SIGTERM, SIGHUP]
    /// The signals whose handling `block` changes.
    private static let changed = [SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGQUIT]
    /// Those of them that the program's parent had ignored.
    private static let wereIgnored = Lock<[Int32]>([])
    /// Those that the program's parent had blocked.
    private static let wereBlocked = Lock<[Int32]>([])
    private static let receiver = Lock<(@Sendable (Int32) -> Void)?>(nil)

    /// Blocks the signals, so that `wait` receives them.
    ///
    /// Call it first of all: threads that start later inherit the signal mask.
    static func block() {
        let ignored = changed.filter(isIgnored)
        wereIgnored.withLock { $0 = ignored }
        signal(SIGPIPE, SIG_IGN)
        // With SIGXFSZ ignored, reaching the limit of `ulimit -f` is an error of write(2), like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        // A shell starts background jobs with SIGINT ignored.
        // SIGQUIT must end the program with a core dump, not start the Swift runtime's backtracer.
        for number in [SIGINT, SIGTERM, SIGQUIT] { signal(number, SIG_DFL) }
        var set = endingSet()
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &set, &before)
        let blocked = (1...64).filter { sigismember(&before, $0) == 1 }
        wereBlocked.withLock { $0 = blocked }
    }

    /// The signals that the program's parent had blocked.
    static var blockedByParent: [Int32] { wereBlocked.withLock { $0 } }

    /// Returns the signals that the program's parent had ignored, as nohup(1) and shells do, for a program that this one
    /// starts.
    ///
    /// Call it before `ignoreTerminal`.
    static func ignoredByParent() -> [Int32] {
        let others = (1...64).filter { !changed.contains($0) && isIgnored($0) }
        return (wereIgnored.withLock { $0 } + others).sorted()
    }

    /// Ignores the terminal's signals for a program that shares it: SIGQUIT is for that one, and Weir's own lines may
    /// come from the background.
    ///
    /// SIGINT stays with the receiver, which needs it once that program has ended.
    static func ignoreTerminal() {
        for number in [SIGQUIT, SIGTTOU] { signal(number, SIG_IGN) }
    }

    /// Passes later signals to a receiver; without one they end the program as usual.
    static func receive(_ body: @escaping @Sendable (Int32) -> Void) {
        receiver.withLock { $0 = body }
    }

    /// Waits for signals, for ever.
    static func wait() -> Never {
        var set = endingSet()
        while true {
            var number: Int32 = 0
            if sigwait(&set, &number) != 0 { number = waitByHandler(&set) }
            if let body = receiver.withLock({ $0 }) {
                body(number)
            } else {
                end(by: number)
            }
        }
    }

    /// Ends the program by a signal, as if it had not been blocked.
    static func end(by number: Int32) {
        var set = endingSet()
        signal(number, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        raise(number)
    }

    /// The write end of a pipe to which a signal handler writes the numbers of signals.
    private nonisolated(unsafe) static var notes: Int32 = -1

    /// Waits for a signal if `sigwait` is refused: a handler on this thread receives it, and all other threads block
    /// it.
    private static func waitByHandler(_ set: inout sigset_t) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            Diagnostics.print("cannot wait for signals: \(ErrorNumber(errno))")
            Glibc.exit(ExitStatus.internalError.rawValue)
        }
        defer { for end in ends { close(end) } }
        notes = ends[1]
        for number in ending {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                write(Signals.notes, &byte, 1)
            }
        }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        defer { pthread_sigmask(SIG_BLOCK, &set, nil) }
        var byte: UInt8 = 0
        while read(ends[0], &byte, 1) != 1 {}
        return Int32(byte)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        // The handlers are functions, which can be compared only as addresses.
        let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
        return handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func endingSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in ending { sigaddset(&set, number) }
        return set
    }
}
