import Support
import Testing
import WeirWire

@testable import WeirEngine

/// Stands in for the relay and the kernel around one flow, with dice for what happens next, and checks as it goes.
///
/// Every source sends the bytes 0, 1, 2, … modulo 251, so that a byte that is lost, doubled or moved shows.
struct Simulation {
    /// Follows one direction: what its source has sent and what its receiver has got.
    struct Side {
        var received = 0
        var taken: [UInt8] = []
        /// Lists datagrams that came in, and those that went out.
        var datagramsIn: [[UInt8]] = []
        var datagramsOut: [[UInt8]] = []
        /// The chunks' bytes in the order of their records.
        var shown: [[UInt8]] = []
        var unsent = 0
        var dropped = 0
        var isRead = false
        var hasEnded = false
        var hasAborted = false
        var isFinished = false
        var isBlocked = false
    }

    static let longestRead = 60

    var flow: Flow
    var clock = ManualClock()
    var random: SplitMix64
    let isLossless: Bool
    let recordsChunks: Bool
    let keepsBytes: Bool
    /// Every record with its bytes, in order.
    var told: [(record: FlowRecord, bytes: [UInt8])] = []
    /// Counts the chunks that took the short way.
    var passed = 0
    var up = Side()
    var down = Side()
    var wakeAt: Instant?
    var resets: [Direction] = []
    var dialing: Int?
    var isConnected = false
    var isClosed = false
    var turn = Turn(at: ManualClock.start)
    var records: [FlowRecord.Happening] = []
    /// The kernel takes everything, and errors are over.
    var isGenerous = false

    /// Makes a flow with toxics that lose, add and change no byte, the same in both directions.
    init(_ transport: Transport, isEcho: Bool, toxics: [any Toxic], seed: UInt64) {
        let set = ToxicSet([.upstream: toxics, .downstream: toxics])
        self.init(transport, isEcho: isEcho, set, keepsBytes: true, seed: seed)
    }

    /// Makes a flow with any toxics.
    ///
    /// - Parameters:
    ///   - transport: what carries it.
    ///   - isEcho: whether it is its own server.
    ///   - set: the toxics.
    ///   - keepsBytes: whether they lose, add and change no byte uncounted, so that all bytes can be followed.
    ///   - seed: the seed of the dice.
    init(_ transport: Transport, isEcho: Bool, _ set: ToxicSet, keepsBytes: Bool, seed: UInt64) {
        random = SplitMix64(seed: seed)
        isLossless = set.isEmpty
        self.keepsBytes = keepsBytes
        var settings = FlowSettings()
        settings.highWatermark = transport == .tcp ? 100 : 1000
        settings.lowWatermark = 30
        settings.toxicBound = 4000
        settings.idleTimeout = Bool.random(using: &random) ? .seconds(2) : nil
        settings.echoWindow = 64
        // Chunks that nobody hears of may take the short way.
        recordsChunks = !keepsBytes || Bool.random(using: &random)
        settings.recordsChunks = recordsChunks
        flow = Flow(
            id: FlowID(seed),
            transport: transport,
            client: Playbook.path.client,
            listener: Playbook.path.listener,
            isEcho: isEcho,
            toxics: set,
            seed: seed,
            settings: settings,
            at: clock.now
        )
    }

    subscript(direction: Direction) -> Side {
        get { direction == .upstream ? up : down }
        set { if direction == .upstream { up = newValue } else { down = newValue } }
    }

    mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &random) }

    // MARK: - The relay's part

    mutating func start() {
        turn.begin(at: clock.now)
        feed(.started(attempts: 2))
        performAll([])
    }

    mutating func tell(_ event: FlowEvent, _ bytes: [UInt8] = []) {
        let wasClosed = isClosed
        turn.begin(at: clock.now)
        feed(event, bytes)
        if wasClosed { #expect(turn.actions.isEmpty, "after close: \(event)") }
        performAll(bytes)
        check()
    }

    /// Passes a chunk on as the relay does: the short way, where the flow lets it.
    mutating func forward(_ direction: Direction, _ bytes: [UInt8]) {
        guard flow.passes(bytes.span.bytes, direction, at: clock.now.instant) else {
            return tell(.received(direction), bytes)
        }
        passed += 1
        turn.begin(at: clock.now)
        send(direction, bytes)
        performAll(bytes)
        check()
    }

    private mutating func feed(_ event: FlowEvent, _ bytes: [UInt8] = []) {
        turn.now = clock.now
        flow.handle(event, bytes: bytes.span.bytes, in: &turn)
    }

    mutating func performAll(_ bytes: [UInt8]) {
        var index = 0
        while index < turn.actions.count {
            #expect(!isClosed, "an action follows close")
            perform(turn.actions[index], bytes)
            index += 1
            guard index < 10_000 else {
                Issue.record("the flow goes round in circles")
                return
            }
        }
    }

    private mutating func perform(_ action: FlowAction, _ bytes: [UInt8]) {
        switch action {
        case .connect(let attempt):
            dialing = attempt
            if roll(4) > 0 {
                feed(.dialed(egress: roll(8) == 0 ? nil : Playbook.path.egress, server: Playbook.serverEndpoint))
            } else {
                feed(.dialed(egress: nil, server: Playbook.serverEndpoint))
                dialing = nil
                feed(.connectFailed(ErrorNumber(24)))
            }
        case .send(let direction): send(direction, bytes)
        case .sendQueued(let direction): sendQueued(direction)
        case .finish(let direction):
            #expect(!self[direction].isFinished, "the same end twice")
            #expect(flow[direction].queue.isEmpty, "an end before the last byte")
            self[direction].isFinished = true
        case .reset(_, let direction): if !resets.contains(direction) { resets.append(direction) }
        case .pauseReading(let direction):
            #expect(self[direction].isRead, "pauses what is not read")
            self[direction].isRead = false
        case .resumeReading(let direction):
            #expect(!self[direction].isRead, "resumes what is read")
            #expect(!self[direction].hasEnded, "resumes what has ended")
            self[direction].isRead = true
        case .wake(let instant):
            #expect(instant > clock.now.instant, "a wake that spins")
            wakeAt = instant
        case .record(let place): note(turn.records[place].record, turn.records[place].copy ?? bytes)
        case .close: isClosed = true
        }
    }

    private mutating func note(_ record: FlowRecord, _ bytes: [UInt8]) {
        records.append(record.happening)
        if recordsChunks { told.append((record, record.happening.chunk == nil ? [] : bytes)) }
        switch record.happening {
        case .forwarded(let chunk):
            #expect(bytes.count == chunk.length, "a record of other bytes")
            self[flow.isEcho ? .downstream : chunk.direction].shown.append(bytes)
        case .dropped(let loss): self[loss.direction].dropped += Int(loss.bytes)
        case .connected: isConnected = true
        default: break
        }
    }

    // MARK: - The kernel's part

    private mutating func amount(of count: Int) -> Int {
        isGenerous || roll(3) == 0 ? count : roll(count + 1)
    }

    private mutating func send(_ direction: Direction, _ bytes: [UInt8]) {
        #expect(!self[direction].isFinished, "a byte behind the end")
        if flow.transport == .udp { return sendDatagram(direction, bytes, isQueued: false) }
        let hasFailed = failsSend(direction)
        let amount = hasFailed ? 0 : amount(of: bytes.count)
        self[direction].taken += bytes[..<amount]
        if amount < bytes.count { feed(.sent(direction, amount), bytes) }
        if hasFailed { abort(flow.isEcho ? .upstream : direction.opposite) { $0.feed($1) } }
    }

    private mutating func sendQueued(_ direction: Direction) {
        #expect(!self[direction].isFinished, "a byte behind the end")
        guard let bytes = flow.offerQueued(direction, { Array($0) }) else { return }
        if flow.transport == .udp { return sendDatagram(direction, bytes, isQueued: true) }
        if failsSend(direction) { return abort(flow.isEcho ? .upstream : direction.opposite) { $0.feed($1) } }
        let amount = amount(of: bytes.count)
        self[direction].taken += bytes[..<amount]
        if amount > 0 { feed(.sent(direction, amount)) }
    }

    /// Finds, now and then, that the receiver has reset.
    private mutating func failsSend(_ direction: Direction) -> Bool {
        !isGenerous && roll(200) == 0 && !self[flow.isEcho ? .upstream : direction.opposite].hasAborted
    }

    private mutating func sendDatagram(_ direction: Direction, _ bytes: [UInt8], isQueued: Bool) {
        switch isGenerous ? 9 : roll(10) {
        case 0, 1: if !isQueued { feed(.sendBlocked(direction), bytes) }
        case 2: feed(.sendFailed(direction, ErrorNumber(22)), isQueued ? [] : bytes)
        default:
            if roll(10) == 0 { feed(.refused(.connectionRefused)) }
            self[direction].taken += bytes
            self[direction].datagramsOut.append(bytes)
            if isQueued { feed(.sent(direction, bytes.count)) }
        }
    }

    mutating func abort(_ source: Direction, _ tell: (inout Simulation, FlowEvent) -> Void) {
        guard !self[source].hasAborted else { return }
        self[source].hasAborted = true
        tell(&self, .aborted(source, .connectionReset))
    }
}
