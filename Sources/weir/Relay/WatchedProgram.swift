import Glibc
import WeirRelay

/// The program of a session, which ends when the program has ended.
final class WatchedProgram: Sendable {
    private let watcher: ProgramWatcher
    private let waitsForAll: Bool
    /// Whether destinations have toxics from the start.
    let hasToxics: Bool
    private let state = Lock(State())

    private struct State {
        var end: ProgramEnd?
        var wasTerminated = false
    }

    /// Makes a program that is not started yet.
    ///
    /// - Parameters:
    ///   - watcher: starts the command.
    ///   - waitsForAll: whether the programs that the command started must have ended, too.
    ///   - hasToxics: whether destinations have toxics from the start.
    init(_ watcher: ProgramWatcher, waitsForAll: Bool, hasToxics: Bool) {
        (self.watcher, self.waitsForAll, self.hasToxics) = (watcher, waitsForAll, hasToxics)
    }

    /// Starts the command, whose traffic passes the relay.
    ///
    /// - Parameters:
    ///   - relay: the relay, which serves already.
    ///   - whenEnded: called when the session is to end; on any thread.
    /// - Throws: `WatchError`.
    func start(_ relay: Supervisor, whenEnded: @escaping @Sendable () -> Void) async throws {
        try await watcher.start(relay)
        Task {
            note(await watcher.wait())
            if waitsForAll { await watcher.waitForAll() }
            await watcher.letPass()
            whenEnded()
        }
    }

    /// Notes how the command ended.
    func note(_ end: ProgramEnd) { state.withLock { $0.end = end } }

    /// Takes a signal that Weir got, and returns whether it ends the session.
    ///
    /// The terminal sends SIGINT to the command, too, so there is nothing to do. SIGTERM and SIGHUP come to Weir alone
    /// and are sent on; a second SIGTERM is for Weir itself, and so is every signal after the command's end.
    func endsSession(by number: Int32) -> Bool {
        let (hasEnded, isSecond) = state.withLock { state in
            let isSecond = number == SIGTERM && state.wasTerminated
            if number == SIGTERM { state.wasTerminated = true }
            return (state.end != nil, isSecond)
        }
        if hasEnded { return true }
        if number != SIGINT { watcher.send(signal: number) }
        return isSecond
    }

    /// Ends the watch, after the relay has ended.
    func finish() async { await watcher.finish() }

    /// Returns Weir's own exit status: the command's, or if that is 0, the session's.
    ///
    /// - Parameter own: the session's status.
    /// - Returns: a shell's `$?`: 128 and the signal's number if a signal ended the command.
    func exitStatus(_ own: ExitStatus) -> Int32 {
        let status: Int32 =
            switch state.withLock({ $0.end }) {
            case .exited(let status): status
            case .signaled(let number): 128 + number
            // A second SIGTERM ended Weir while the command went on.
            case nil: 128 + SIGTERM
            }
        return status != 0 ? status : own.rawValue
    }
}
