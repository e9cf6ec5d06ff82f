import CWeir
import Glibc
import WeirEngine
import WeirWire

/// Something that waits while other calls are answered: a dial that takes long, a receive without a datagram.
protocol WaitingJob: AnyObject {
    /// Handles epoll's events for the job's descriptor; returns false if the job is done.
    func ready(_ events: UInt32, _ server: CallServer) -> Bool
    /// Looks whether the call still waits, and whether its time is over; returns false if the job is done.
    func check(_ server: CallServer, at now: Instant) -> Bool
}

/// The thread that answers a program's calls: it takes one after another, and each is answered at once, or becomes a job.
///
/// Reading order: `serve` takes calls; `answer` chooses what answers each (`ConnectCalls`, `NameCalls`, `DatagramCalls`,
/// `ServeCalls`, `ExecuteCalls`).
/// Nothing that goes wrong here may take the program's network away: a call that cannot be handled is left to the kernel.
final class CallServer {
    /// The interval of looks at waiting jobs.
    private static let pause = Duration.milliseconds(20)

    let settings: WatchSettings
    let relay: Supervisor
    let report: @Sendable (String) -> Void
    /// The listener for the program's calls.
    let listener: Int32
    let destinations: Destinations
    let processes: WatchedProcesses
    let own: PrivateListeners
    let serving: ServedSockets

    var sockets = SocketTable()
    var threads = WatchedThreads()
    var datagrams = DatagramPairs()
    let room = MessageRoom()
    var executed = ExecutedFiles()
    private(set) var untouched = UntouchedCounts()
    var denied = DeniedCounts()

    private let epoll: Descriptor
    private let mailbox: Mailbox<CallServerMessage>
    private var jobs: [UInt64: any WaitingJob] = [:]
    private var nextJob: UInt64 = 2
    /// The answers that a signal kept from their callers, by thread.
    private var undelivered: [Int32: (call: WatchedCall, result: CallResult)] = [:]
    /// The TCP sockets that existed a moment ago.
    private var living: (at: Instant, cookies: Set<UInt64>)?
    private var isEnding = false
    /// Whether new connections and datagrams are left to the kernel, because the relay ends.
    private(set) var letsPass = false

    init(
        _ settings: WatchSettings,
        _ relay: Supervisor,
        listener: Int32,
        _ processes: WatchedProcesses,
        _ mailbox: Mailbox<CallServerMessage>,
        report: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        (self.settings, self.relay, self.listener, self.report) = (settings, relay, listener, report)
        (self.processes, self.mailbox) = (processes, mailbox)
        destinations = Destinations(settings, relay)
        own = try PrivateListeners()
        serving = try ServedSockets(settings, relay)
        let raw = weir_epoll_create()
        guard raw >= 0 else { throw SystemError("make an epoll instance", ErrorNumber(-raw)) }
        epoll = Descriptor(owning: raw)
        for (token, watched) in [listener, mailbox.signal].enumerated() {
            let status = weir_epoll_add(raw, watched, UInt32(WEIR_IN), UInt64(token))
            guard status >= 0 else { throw SystemError("watch a program's calls", ErrorNumber(-status)) }
        }
        weir_call_wake_here(listener)
        if !settings.servedPorts.isEmpty, !weir_call_can_give(listener) {
            report("--serve needs Linux 5.9: clients reach the command past Weir")
            serving.ports = [:]
        }
    }

    /// Answers calls until the watch ends.
    func serve() {
        var events = [weir_event](repeating: weir_event(), count: 64)
        var looked = SystemClock.instant()
        while !isEnding {
            let count = weir_epoll_wait(epoll.raw, &events, Int32(events.count), timeout)
            guard count >= 0 else { return report("a program's calls cannot be waited for: \(ErrorNumber(-count))") }
            for event in events[..<Int(count)] {
                switch event.token {
                case 0 where event.events & UInt32(WEIR_IN) == 0:
                    // The last program has ended; messages may still come.
                    unwatch(listener)
                case 0: guard takeCall() else { return }
                case 1: for message in mailbox.take() { handle(message) }
                case let token where token & Self.servedToken != 0: clientsWait(for: token & ~Self.servedToken)
                case let token: if let job = jobs[token], !job.ready(event.events, self) { end(token) }
                }
            }
            let now = SystemClock.instant()
            guard looked.duration(to: now) >= Self.pause else { continue }
            looked = now
            checkJobs(at: now)
            datagrams.sweep(self, at: now)
            checkAccepts(at: now)
        }
    }

    /// How long to wait for an event, in ns; -1 without a limit.
    private var timeout: Int64 {
        if !jobs.isEmpty || serving.hasDeadlines { return Self.pause.inNanoseconds }
        return datagrams.isEmpty && !serving.hasWork ? -1 : 1_000_000_000
    }

    /// Takes a call and answers it; returns false if no call will come any more.
    private func takeCall() -> Bool {
        var raw = weir_call()
        let status = weir_call_take(listener, &raw)
        if status >= 0 {
            answer(WatchedCall(raw: raw, listener: listener))
            return true
        }
        // The call has ended already, or a signal came.
        if status == -ENOENT || status == -EINTR || status == -EAGAIN { return true }
        report("the program's calls cannot be answered any more: \(ErrorNumber(-status))")
        return false
    }

    private func handle(_ message: CallServerMessage) {
        switch message {
        case .flowClosed(let client, let asked): datagrams.flowClosed(client, asked)
        case .refused(let client, let asked): datagrams.refused(client, asked, self)
        case .letPass(let whenDone):
            letsPass = true
            passAccepts()
            // What the command gave up is recorded while the relay still takes records.
            checkJobs(at: SystemClock.instant())
            whenDone()
        case .end(let whenEnded):
            isEnding = true
            untouched.report(report)
            denied.report(report)
            serving.reportUnused(report)
            whenEnded()
        }
    }

    // MARK: - Answers

    private func answer(_ call: WatchedCall) {
        var repeated: CallResult?
        if let before = undelivered.removeValue(forKey: call.thread), call.isRepetition(of: before.call) {
            repeated = before.result
        }
        switch Int(call.raw.kind) {
        case WEIR_CALL_CONNECT:
            connect(call, call.integer(0), call.argument(1), UInt32(truncatingIfNeeded: call.argument(2)), repeated)
        case WEIR_CALL_SOCKETCALL:
            guard let arguments = call.read(call.argument(1), as: (UInt32(0), UInt32(0), UInt32(0))) else {
                return pass(call, .unreadable)
            }
            connect(call, Int32(bitPattern: arguments.0), UInt64(arguments.1), arguments.2, repeated)
        case _ where repeated != nil: if let repeated { finish(call, repeated) }
        case WEIR_CALL_GETPEERNAME: name(call, isPeer: true)
        case WEIR_CALL_GETSOCKNAME: name(call, isPeer: false)
        case WEIR_CALL_GETSOCKOPT: pendingError(call)
        case WEIR_CALL_SENDTO: sendTo(call)
        case WEIR_CALL_SENDMSG: sendMessage(call)
        case WEIR_CALL_SENDMMSG: sendMessages(call)
        case WEIR_CALL_RECVFROM: receiveFrom(call)
        case WEIR_CALL_RECVMSG: receiveMessage(call)
        case WEIR_CALL_RECVMMSG: receiveMessages(call)
        case WEIR_CALL_EXECVE, WEIR_CALL_EXECVEAT: execute(call)
        case WEIR_CALL_LISTEN: listen(call)
        case WEIR_CALL_ACCEPT: accept(call, flags: 0)
        case WEIR_CALL_ACCEPT4: accept(call, flags: call.integer(3))
        default: call.pass()
        }
    }

    /// Answers a call; if a signal has ended the caller's waiting, the answer is kept for its next try.
    func finish(_ call: WatchedCall, _ result: CallResult) {
        let status =
            switch result {
            case .value(let value): weir_call_answer(listener, call.id, value, 0)
            case .error(let error): weir_call_answer(listener, call.id, 0, error.rawValue)
            }
        // If nothing was done because the thread waits no more, that is no answer to its next try.
        let isNothing = result == .error(ErrorNumber(EFAULT)) || result == .error(ErrorNumber(EINTR))
        guard status == -ENOENT, !isNothing else { return }
        if undelivered.count > 1024 { undelivered.removeAll() }
        undelivered[call.thread] = (call, result)
    }

    /// Leaves a call to the kernel, and counts why, if that is nothing usual.
    func pass(_ call: WatchedCall, _ obstacle: Obstacle?) {
        call.pass()
        if let obstacle { untouched.count(obstacle) }
    }

    /// Returns the socket of a call; nil if the call was left to the kernel.
    func socket(_ number: Int32, of call: WatchedCall) -> WatchedSocket? {
        do throws(WatchedCallError) {
            let descriptor = try threads.descriptor(number, of: call.thread)
            var facts = weir_socket_facts()
            guard weir_socket_facts_read(descriptor.raw, &facts) >= 0, call.isWaiting else {
                call.pass()
                return nil
            }
            return WatchedSocket(descriptor: descriptor, facts: facts)
        } catch {
            switch error.error.rawValue {
            case EPERM, EACCES: pass(call, .unreadable)
            case EMFILE, ENFILE, ENOMEM: pass(call, .shortage)
            // A wrong descriptor, or a thread that has ended.
            default: call.pass()
            }
            return nil
        }
    }

    // MARK: - Jobs

    /// Starts a job that waits for a descriptor; returns false if the kernel refuses to watch it.
    func start(_ job: any WaitingJob, on raw: Int32, _ events: UInt32) -> Bool {
        guard weir_epoll_add(epoll.raw, raw, events, nextJob) >= 0 else { return false }
        jobs[nextJob] = job
        nextJob += 1
        return true
    }

    /// Lets epoll report events of an open file until the file is closed everywhere, not only here.
    ///
    /// - Returns: a negative `errno` if the kernel refuses to.
    func watchForever(_ raw: Int32, _ events: UInt32, _ token: UInt64) -> Int32 {
        weir_epoll_add(epoll.raw, raw, events, token)
    }

    /// Ends the watch of a job's descriptor: a duplicate of a program's socket would stay watched after its end.
    func unwatch(_ raw: Int32) { _ = weir_epoll_remove(epoll.raw, raw) }

    private func end(_ token: UInt64) { jobs[token] = nil }

    private func checkJobs(at now: Instant) {
        for (token, job) in jobs where !job.check(self, at: now) { end(token) }
    }

    /// Returns the cookies of the TCP sockets that exist, or existed a moment ago; nil if the kernel does not list them.
    ///
    /// - Parameters:
    ///   - since: a time when the socket in question existed: an older list could not have it.
    ///   - now: the time.
    /// - Returns: the cookies.
    func livingSockets(since: Instant, at now: Instant) -> Set<UInt64>? {
        let most = letsPass ? Self.pause : .seconds(1)
        if let living, living.at >= since, living.at.duration(to: now) < most { return living.cookies }
        guard let cookies = LivingSockets.cookies([.tcp]) else { return nil }
        living = (now, cookies)
        return cookies
    }
}

/// A message to the thread that answers a program's calls.
enum CallServerMessage: Sendable {
    /// A UDP flow has ended.
    case flowClosed(client: Endpoint, asked: Endpoint)
    /// The server of a UDP flow answered that nobody listens.
    case refused(client: Endpoint, asked: Endpoint)
    /// A request to leave new connections and datagrams to the kernel.
    case letPass(whenDone: @Sendable () -> Void)
    /// A request to end the watch.
    case end(whenEnded: @Sendable () -> Void)
}
