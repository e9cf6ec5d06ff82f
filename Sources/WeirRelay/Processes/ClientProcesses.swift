import CWeir
import Glibc
import Synchronization
public import WeirEngine
import WeirWire

/// A finder of the processes that own the clients' sockets on this machine, with a thread of its own.
///
/// An event loop only posts a question to a mailbox, as soon as a client connects, so that clients that live for a few
/// milliseconds are found too. The work is limited: `burst` questions at once, `perSecond` in the long run; and once
/// the thread has used more than a fifth of one processor's time, it searches only the processes that it found last.
/// Beyond these limits the answer is that the process is not known. Without questions the thread sleeps. An answer is
/// kept for the sinks for a while.
public final class ClientProcesses: Sendable {
    /// The maximum number of questions at once.
    static let burst = 2000
    /// The maximum number of questions per second, in the long run.
    static let perSecond = 500
    /// The maximum number of answers that are kept.
    private static let kept = 1 << 15
    /// The maximum time that a sink waits for an answer.
    private static let patience = Duration.milliseconds(250)

    private enum Entry {
        case pending
        case known(ProcessAnswer)
    }

    private struct State {
        var answers = RecentAnswers<Entry>(kept: ClientProcesses.kept)
        var tokens = Double(ClientProcesses.burst)
        var refilled = Instant(nanoseconds: 0)
    }

    private enum Message: Sendable {
        case question(ProcessSearch.Question)
        case end
    }

    private let state = Lock(State())
    private let mailbox: Mailbox<Message>
    private let own: Set<IPAddress>
    /// The number of clients of this machine whose process was not searched for, because there were too many.
    let skipped = Atomic<Int>(0)

    /// Starts the thread.
    ///
    /// - Throws: `SystemError` if the kernel cannot be asked for sockets, or no thread can be started.
    public init() throws(SystemError) {
        own = Self.ownAddresses()
        mailbox = try Mailbox()
        let search = try ProcessSearch()
        let (mailbox, state) = (mailbox, state)
        let box = SearchBox(search)
        try startThread(named: "weir-who") { Self.serve(mailbox, state, box) }
    }

    /// Ends the thread.
    func end() { mailbox.post(.end) }

    /// Asks for the process of a client, if the client is on this machine; never blocks.
    func ask(
        _ flow: FlowID,
        _ transport: Transport,
        _ path: FlowPath,
        cookie: @autoclosure () -> UInt64,
        at moment: Moment
    ) {
        let client = path.client.address
        guard client.isLoopback || client == path.listener.address || own.contains(client) else { return }
        let isAsked = state.withLock { state in
            let elapsed = state.refilled.duration(to: moment.instant).inNanoseconds
            state.refilled = moment.instant
            state.tokens = min(
                Double(Self.burst),
                state.tokens + Double(max(0, elapsed)) / 1e9 * Double(Self.perSecond)
            )
            let isAsked = state.tokens >= 1
            if isAsked { state.tokens -= 1 }
            state.answers[flow] = isAsked ? .pending : .known(.unknown)
            return isAsked
        }
        guard isAsked else {
            skipped.add(1, ordering: .relaxed)
            return
        }
        let question = ProcessSearch.Question(
            flow: flow,
            transport: transport,
            client: path.client,
            listener: path.listener,
            cookie: cookie(),
            moment: moment
        )
        mailbox.post(.question(question))
    }

    /// Returns the process of a flow's client; waits for a quarter of a second at most, on a sink's thread.
    public func answer(_ flow: FlowID) -> ProcessAnswer {
        let deadline = SystemClock.instant().advanced(by: Self.patience)
        // Most answers are there at once; while waiting for the others, a sink should sleep most of the time.
        var pause: UInt32 = 250
        while true {
            if let answer = known(flow) { return answer }
            if SystemClock.instant() >= deadline { return .unknown }
            usleep(pause)
            pause = min(8000, pause * 2)
        }
    }

    /// Returns the process of a flow's client without waiting; nil while the search is going on.
    public func known(_ flow: FlowID) -> ProcessAnswer? {
        switch state.withLock({ $0.answers[flow] }) {
        case nil: .notAsked
        case .known(let answer): answer
        case .pending: nil
        }
    }

    /// A closure that does what `answer(_:)` does.
    public var lookup: ProcessLookup { { [self] in answer($0) } }

    /// A closure that does what `known(_:)` does.
    public var peek: ProcessPeek { { [self] in known($0) } }

    // MARK: - On the thread

    /// A box that carries the search to its thread.
    private final class SearchBox: @unchecked Sendable {
        var search: ProcessSearch

        init(_ search: consuming ProcessSearch) {
            self.search = search
        }
    }

    private static func serve(_ mailbox: Mailbox<Message>, _ state: Lock<State>, _ box: SearchBox) {
        // A client may be gone before its turn on a busy machine; without the right to it, the priority stays. The budget
        // limits the time anyway.
        _ = setpriority(Int32(PRIO_PROCESS.rawValue), 0, -10)
        box.search.settle(waitingOn: mailbox.signal)
        var budget = ThreadTimeBudget(used: processorTime(), at: SystemClock.instant())
        while true {
            var descriptor = pollfd(fd: mailbox.signal, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, -1)
            var questions: [ProcessSearch.Question] = []
            for message in mailbox.take() {
                switch message {
                case .question(let question): questions.append(question)
                case .end: return
                }
            }
            guard !questions.isEmpty else { continue }
            let answers = box.search.answer(questions, everywhere: !budget.isExceeded)
            state.withLock { state in
                for (question, answer) in zip(questions, answers) where state.answers[question.flow] != nil {
                    state.answers[question.flow] = .known(answer)
                }
            }
            let rest = budget.rest(used: processorTime(), at: SystemClock.instant())
            if rest > 0 { usleep(UInt32(rest / 1000)) }
        }
    }

    /// Returns the processor time that this thread has used, in nanoseconds.
    private static func processorTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Returns the addresses of this machine's interfaces.
    private static func ownAddresses() -> Set<IPAddress> {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var addresses: Set<IPAddress> = []
        var next = first
        while let entry = next {
            if let address = entry.pointee.ifa_addr {
                let length =
                    Int32(address.pointee.sa_family) == AF_INET
                    ? MemoryLayout<sockaddr_in>.size
                    : Int32(address.pointee.sa_family) == AF_INET6 ? MemoryLayout<sockaddr_in6>.size : 0
                var storage = sockaddr_storage()
                withUnsafeMutableBytes(of: &storage) { room in
                    room.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
                }
                if length > 0, let endpoint = SocketAddress.endpoint(&storage) { addresses.insert(endpoint.address) }
            }
            next = entry.pointee.ifa_next
        }
        return addresses
    }
}

/// A limit on a thread's processor time: a fifth in the long run, and a quarter of a second at once.
///
/// On a busy machine a look at all processes costs several times what it costs on a quiet one, and a burst of new programs
/// needs one for each.
///
/// Beyond that the thread rests between questions; if that is not enough, the budget is exceeded. All times are in
/// nanoseconds, and are passed in.
struct ThreadTimeBudget {
    private static let atOnce: Int64 = 250_000_000
    private static let longestRest: Int64 = 25_000_000
    private static let mostDebt: Int64 = 500_000_000

    private var used: Int64
    private var looked: Instant
    private var debt: Int64 = 0

    /// Starts with no debt, for a thread that has used some processor time.
    init(used: Int64, at now: Instant) { (self.used, looked) = (used, now) }

    /// Whether the thread used much more than the budget allows.
    var isExceeded: Bool { debt > Self.mostDebt }

    /// Adds what the thread used since the last call, and returns for how long to rest.
    mutating func rest(used total: Int64, at now: Instant) -> Int64 {
        debt = max(0, debt - looked.duration(to: now).inNanoseconds / 5) + total - used
        (used, looked) = (total, now)
        // Never so long that a client of 100 ms is missed.
        return min(Self.longestRest, max(0, debt - Self.atOnce) * 5)
    }
}

/// Answers about flows; the oldest make room for new ones.
struct RecentAnswers<Answer> {
    /// The maximum number of answers that are kept.
    let kept: Int
    private var answers: [FlowID: Answer] = [:]
    private var order: [FlowID] = []
    private var oldest = 0

    init(kept: Int) { self.kept = kept }

    subscript(flow: FlowID) -> Answer? {
        get { answers[flow] }
        set {
            let isNew = answers[flow] == nil
            answers[flow] = newValue
            guard isNew else { return }
            order.append(flow)
            while order.count - oldest > kept {
                answers[order[oldest]] = nil
                oldest += 1
            }
            if oldest > kept {
                order.removeFirst(oldest)
                oldest = 0
            }
        }
    }
}
