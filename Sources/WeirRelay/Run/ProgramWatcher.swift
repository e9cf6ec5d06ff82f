import CWeir
import Glibc
import Synchronization
public import WeirEngine
import WeirWire

/// What to watch of a program, and how.
public struct WatchSettings: Sendable {
    /// The command and its arguments; a command without '/' is looked up in `PATH`.
    public var command: [String]
    /// The destinations that are relayed; if empty, all.
    public var only: [DestinationFilter] = []
    /// The destinations that are not relayed.
    public var except: [DestinationFilter] = []
    /// The destinations that the program cannot reach.
    public var denied: [DestinationFilter] = []
    /// The error that the program gets for those.
    public var denial = ErrorNumber.connectionRefused
    /// The destinations that lead elsewhere.
    public var maps: [DestinationMap] = []
    /// The names that have other addresses in the DNS answers that the program reads.
    public var nameMaps: [NameMap] = []
    /// The TCP ports on which the program's servers have their clients relayed.
    public var servedPorts: [UInt16] = []
    /// Called when a program begins to listen on one of them; on any thread.
    public var whenListening: @Sendable (Listener) -> Void = { _ in }
    /// What the sides of each TCP destination speak.
    public var security = RouteSecurity.plain
    /// The toxics of each destination, and of each served port.
    public var toxics: [ToxicConfiguration] = []
    /// The variables that the command gets besides its parent's, which they replace: `NAME=VALUE`.
    public var environment: [String] = []
    /// The signals that the command ignores from its start, as Weir's own parent asked; all others have their default.
    public var ignoredSignals: [Int32] = []
    /// The signals that the command blocks from its start.
    public var blockedSignals: [Int32] = []

    /// Makes settings that watch everything.
    public init(command: [String]) { self.command = command }

    /// The endpoints of the maps' targets.
    private(set) var mapTargets: [DestinationMap: Endpoint] = [:]

    /// Finds the endpoints of the maps' targets, before the command starts.
    ///
    /// - Throws: `ResolveError` for a name without an address: what goes to the mapped destination must not reach it.
    public mutating func resolveMaps() throws(ResolveError) {
        for map in maps { mapTargets[map] = try Resolver.resolve(map.target, family: nil).first }
    }

    /// Whether names are needed, so that the program's DNS answers are relayed, whatever else is.
    public var needsNames: Bool {
        !nameMaps.isEmpty || [only, except, denied, maps.map(\.filter)].joined().contains(where: \.needsNames)
    }

    /// Whether datagrams are watched: without them a program's own calls that send and receive run at full speed.
    var watchesDatagrams: Bool {
        only.isEmpty || needsNames || [only, denied, maps.map(\.filter)].joined().contains { $0.transport != .tcp }
    }
}

/// How a program ended.
public enum ProgramEnd: Hashable, Sendable {
    /// It exited with a status from 0 to 255.
    case exited(Int32)
    /// A signal ended it.
    case signaled(Int32)
}

/// A program that runs under watch: each of its TCP connections and datagrams passes the relay.
///
/// The kernel stops the program in each call that names a destination, and asks Weir (seccomp_unotify(2)).
public final class ProgramWatcher: Sendable {
    private struct State {
        var program: weir_program?
        var end: ProgramEnd?
        var hasNoChildren = false
        /// Whether programs that still run can go on when the watch ends.
        var hasStandby = false
        var waiting: [CheckedContinuation<ProgramEnd, Never>] = []
        var waitingForAll: [CheckedContinuation<Void, Never>] = []
    }

    private let settings: WatchSettings
    private let report: @Sendable (String) -> Void
    private let processes = WatchedProcesses()
    private let origin = ProgramOrigin()
    private let mailbox: Mailbox<CallServerMessage>?
    private let state = Lock(State())

    /// Makes a watcher, which starts nothing yet; make it before anything changes this process's limits.
    ///
    /// - Parameters:
    ///   - settings: what to start, and what to watch of it.
    ///   - report: called with one line that the user should know; on any thread.
    public init(_ settings: WatchSettings, report: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.report = report
        mailbox = try? Mailbox()
    }

    /// A closure that returns the process that opened a flow.
    public var lookup: ProcessLookup { { [processes] in processes.answer($0) } }

    /// Returns whether a flow's client was not allowed to connect.
    public var isDenied: @Sendable (FlowID) -> Bool { { [processes] in processes.isDenied($0) } }

    /// Makes a relay note the processes of its flows.
    public func apply(to configuration: inout RelayConfiguration) {
        configuration.takesRoutes = true
        configuration.watched = processes
    }

    /// Makes the output from which the watcher learns of flows that end, and of names; it writes nothing.
    public func makeOutput(names: ResolvedNames) -> SinkOutput? {
        guard let mailbox else { return nil }
        return SinkOutput(name: "watch", sink: WatchSink(mailbox, names), descriptor: -1, overflow: .wait)
    }

    /// Checks that the command exists and can be executed, before anything is opened for it.
    public func check() throws(WatchError) { _ = try ProgramOrigin.find(settings.command.first ?? "") }

    /// Starts the command.
    ///
    /// - Parameter relay: the relay, without routes; it gets one for each destination.
    /// - Throws: `WatchError`.
    public func start(_ relay: Supervisor) async throws(WatchError) {
        guard let mailbox else { throw .unavailable("no descriptor is left: raise the limit (ulimit -n)") }
        await relay.setTemplates(settings.toxics)
        let program = try origin.start(settings)
        state.withLock { ($0.program, $0.hasStandby) = (program, program.lifeline >= 0) }
        let (settings, processes, report) = (settings, processes, report)
        do throws(SystemError) {
            try startThread(named: "weir-calls") {
                do throws(SystemError) {
                    let server = try CallServer(
                        settings,
                        relay,
                        listener: program.listener,
                        processes,
                        mailbox,
                        report: report
                    )
                    if program.watches_executions { server.lookAtCommand() }
                    server.serve()
                } catch {
                    report("the program's calls cannot be answered: \(error)")
                }
                Glibc.close(program.listener)
                // From now on all calls pass.
                if program.lifeline >= 0 { Glibc.close(program.lifeline) }
                Self.close(mailbox)
            }
            try startThread(named: "weir-children") { [self] in waitForChildren(program.process) }
        } catch {
            kill(program.process, SIGKILL)
            throw .unavailable("\(error)")
        }
    }

    /// Refuses later messages, and answers those that wait for the end.
    private static func close(_ mailbox: Mailbox<CallServerMessage>) {
        for message in mailbox.close() {
            switch message {
            case .letPass(let whenDone), .end(let whenDone): whenDone()
            case .flowClosed, .refused: break
            }
        }
    }

    /// Waits for the command, and for the programs that it left behind: they are children of this process then.
    private func waitForChildren(_ command: Int32) {
        while true {
            var status: Int32 = 0
            let process = waitpid(-1, &status, WUNTRACED)
            if process < 0, errno == EINTR { continue }
            guard process > 0 else { break }
            if status & 0xFF == 0x7F {
                if process == command { stopWithCommand(signal: status >> 8 & 0xFF) }
                continue
            }
            guard process == command else { continue }
            let signal = status & 0x7F
            // Known before anybody hears of the end: whether it has left others behind.
            var information = siginfo_t()
            let isLast = waitid(P_ALL, 0, &information, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD
            finish(signal == 0 ? .exited(status >> 8 & 0xFF) : .signaled(signal), isLast: isLast)
        }
        let waiting = state.withLock { state in
            state.hasNoChildren = true
            defer { state.waitingForAll = [] }
            return state.waitingForAll
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Stops with the command, so that a shell's job control sees one job; its SIGCONT reaches both.
    ///
    /// A terminal's signal has reached this process, too. Only where the command stopped alone, as by `kill -TSTP`, is there
    /// anything to do: after a moment in which a `fg` would have woken it. SIGSTOP to the command alone stops it alone.
    private func stopWithCommand(signal: Int32) {
        guard [SIGTSTP, SIGTTIN, SIGTTOU].contains(signal), let program = state.withLock({ $0.program }) else { return }
        usleep(50_000)
        guard Self.isStopped(program.process) else { return }
        kill(getpid(), SIGSTOP)
        kill(program.process, SIGCONT)
    }

    private static func isStopped(_ process: Int32) -> Bool {
        let descriptor = open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else {
            return false
        }
        return bytes[end + 2] == UInt8(ascii: "T")
    }

    private func finish(_ end: ProgramEnd, isLast: Bool) {
        let waiting = state.withLock { state in
            state.end = end
            state.hasNoChildren = isLast
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: end) }
    }

    /// Waits until the command has ended; programs that it started may go on.
    public func wait() async -> ProgramEnd {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state in
                if state.end == nil { state.waiting.append(continuation) }
                return state.end
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    /// Waits until all programs that the command started have ended, too.
    public func waitForAll() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.hasNoChildren { state.waitingForAll.append(continuation) }
                return state.hasNoChildren
            }
            if isOver { continuation.resume() }
        }
    }

    /// Sends a signal to the command.
    public func send(signal number: Int32) {
        let (program, end) = state.withLock { ($0.program, $0.end) }
        if let program, end == nil { kill(program.process, number) }
    }

    /// Leaves new connections and datagrams to the kernel from now on, because the relay ends; what is open goes on.
    public func letPass() async {
        guard let mailbox else { return }
        await withCheckedContinuation { continuation in
            if !mailbox.post(.letPass(whenDone: { continuation.resume() })) { continuation.resume() }
        }
    }

    /// Ends the watch, and reports what was not watched, once.
    ///
    /// The calls of programs that still run go to the kernel from then on.
    public func finish() async {
        guard let mailbox, state.withLock({ $0.program }) != nil else { return }
        let (areLeft, hasStandby) = state.withLock { ($0.end != nil && !$0.hasNoChildren, $0.hasStandby) }
        if areLeft {
            let how = hasStandby ? "unwatched from now on" : "and can open no connections any more"
            report("programs that the command started still run, \(how); --wait waits for them")
        }
        await withCheckedContinuation { continuation in
            if !mailbox.post(.end(whenEnded: { continuation.resume() })) { continuation.resume() }
        }
    }
}

/// A sink that writes nothing: it tells the watcher of flows that end or are refused.
struct WatchSink: Sink {
    private let mailbox: Mailbox<CallServerMessage>
    private let names: ResolvedNames

    init(_ mailbox: Mailbox<CallServerMessage>, _ names: ResolvedNames) {
        (self.mailbox, self.names) = (mailbox, names)
    }

    var interest: Interest { .flows }

    mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
        switch record.happening {
        case .closed where record.transport == .udp:
            mailbox.post(.flowClosed(client: record.path.client, asked: record.path.listener))
        // Other errors than this one the kernel keeps from a connected socket, with few exceptions.
        case .refused(.connectionRefused) where record.transport == .udp:
            mailbox.post(.refused(client: record.path.client, asked: record.path.listener))
        default: break
        }
    }
}
