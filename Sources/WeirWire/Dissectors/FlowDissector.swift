/// Reads the messages of one flow from the bytes of both its directions, chunk by chunk.
///
///     var dissector = FlowDissector(.tcp, clientPort: 50000, serverPort: 80)
///     dissector.add(bytes, .upstream, at: time) { message in ... }
///     dissector.finish { message in ... }
///
/// A chunk is a part of a stream, of any size, or one datagram. The protocol is chosen by what the first bytes look like,
/// and by the ports where those do not tell; when the dissector that was chosen gives up, another one may be right. A
/// direction of a stream that speaks another protocol than the other one is read by a dissector of its own, such as the
/// HTTP answer to a TLS client. A message is given with the chunk that completes it.
///
/// A flow keeps at most `heldLimit` bytes of each direction, for a message that is not complete, and what is known of
/// that message: its fields, up to 512 of them. A chunk costs no copy unless a message is cut at its end.
public struct FlowDissector: Sendable {
    /// Bounds how many bytes of each direction are held back for a message that is not complete.
    public static let heldLimit = 132 << 10
    /// Bounds how many chunks of a direction are looked at to find the protocol, where no port tells it.
    static let tryLimit = 64
    /// Bounds how many bytes are held back to find the protocol.
    static let detectionLimit = 64

    let transport: Transport
    let clientPort: UInt16
    let serverPort: UInt16
    let wantsFields: Bool
    var sides: [DissectedSide]
    /// The dissector of both directions, but for one that is apart.
    var dissector: (any Dissector)?
    var chosen: StaticString = ""
    /// The dissector of the direction that speaks another protocol; nil unless `dissector` is there and a side is apart.
    var apart: (any Dissector)?
    var chosenApart: StaticString = ""
    var excluded: UInt64 = 0
    var requests = OpenRequests()
    /// Collects what is looked at, while somebody asks.
    var looks: Looks?
    /// Names the protocol, once a message of it was read.
    public internal(set) var name: StaticString?
    /// Counts the messages that were given.
    public internal(set) var messages = 0
    /// Holds what the flow is known by: the first value of each kind.
    public internal(set) var findings: [Finding: String] = [:]

    /// Takes a message, which is lent for the call.
    public typealias Receiver = (DissectedMessage) -> Void

    /// Creates the state of a flow of which nothing was seen.
    ///
    /// - Parameters:
    ///   - transport: What carries it.
    ///   - clientPort: The port of the side that opened it.
    ///   - serverPort: The other side's port.
    ///   - wantsFields: Whether messages are to have all their fields, or those alone by which a flow is known.
    public init(_ transport: Transport, clientPort: UInt16, serverPort: UInt16, wantsFields: Bool = true) {
        self.transport = transport
        self.clientPort = clientPort
        self.serverPort = serverPort
        self.wantsFields = wantsFields
        sides = [DissectedSide(.upstream, wantsFields), DissectedSide(.downstream, wantsFields)]
    }

    /// Says that no more messages can be found, so that bytes need not be given any more.
    public var hasGivenUp: Bool { sides.allSatisfy { $0.mode == .off } }

    /// Lends the message of a direction that is not complete yet, with the fields that were read so far.
    ///
    /// - Parameters:
    ///   - direction: Which way it goes.
    ///   - receiver: Takes it, where there is one.
    public func unfinished(_ direction: Direction, to receiver: Receiver) {
        let message = sides[Int(direction.rawValue)].message
        if message.isBegun, !message.summary.isEmpty { receiver(message) }
    }

    /// Reads a part of a stream that follows what came before, or one datagram.
    ///
    /// Complexity: O(n) in the bytes; those within a message's body are not looked at.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; of a datagram that was cut, those that are there.
    ///   - direction: Which way they go.
    ///   - time: When they came, in nanoseconds since 1970 UTC.
    ///   - receiver: Takes the messages that end in these bytes.
    public mutating func add(_ bytes: RawSpan, _ direction: Direction, at time: Int64?, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        sides[side].time = time
        if transport == .udp { return addDatagram(bytes, side, receiver) }
        addStream(bytes, side, receiver)
        readWoken(receiver)
    }

    /// Reads what a direction held back until the other one told what it is.
    mutating func readWoken(_ receiver: Receiver) {
        while let side = sides.firstIndex(where: { $0.isWoken }) {
            sides[side].isWoken = false
            addStream(RawSpan(), side, receiver)
        }
    }

    /// Goes on behind bytes of a stream that are missing.
    ///
    /// A message that they are in the body of goes on behind them; any other one is lost.
    public mutating func skip(_ count: Int, _ direction: Direction, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        sides[side].time = nil
        let inBody = sides[side].pass(count)
        if inBody == count {
            sides[side].message.isCut = true
            endIfPassed(side, receiver)
            return readWoken(receiver)
        }
        guard sides[side].mode != .off, !sides[side].isRest else { return sides[side].offset &+= count &- inBody }
        abandon(side, receiver)
        sides[side].offset &+= count &- inBody
        loseState(side)
        requests.removeAll()
        if dissector != nil { sides[side].mode = .searching }
    }

    /// Ends the reading, as no more bytes will be seen.
    ///
    /// Messages that are not complete are given as what they are; so is one that goes on to the end of its stream, where
    /// `finish` was not called for its direction.
    public mutating func finish(to receiver: Receiver) {
        for direction in Direction.allCases { finish(direction, isEnd: false, to: receiver) }
    }

    /// Ends one direction: its source has sent its last byte.
    public mutating func finish(_ direction: Direction, to receiver: Receiver) {
        finish(direction, isEnd: true, to: receiver)
    }

    private mutating func finish(_ direction: Direction, isEnd: Bool, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        guard sides[side].mode != .off else { return }
        if sides[side].mode == .detecting, !sides[side].held.isEmpty {
            // It is not going to be more.
            sides[side].isEnding = true
            addStream(RawSpan(), side, receiver)
        }
        if sides[side].isRest { emit(side, isComplete: isEnd, receiver) } else { abandon(side, receiver) }
        sides[side].mode = .off
        readWoken(receiver)
    }

    /// Makes upstream downstream: the client has turned out to be the other side.
    public mutating func turn() {
        sides.swapAt(0, 1)
        for (side, direction) in Direction.allCases.enumerated() {
            sides[side].direction = direction
            sides[side].message.direction = direction
            dissector?.lose(direction)
            apart?.lose(direction)
        }
        requests.removeAll()
    }
}

/// Holds how far one direction was read.
struct DissectedSide: Sendable {
    var direction: Direction
    /// Counts the bytes of the stream that were read.
    var offset = 0
    var time: Int64?
    var mode = Mode.detecting
    /// Holds bytes that came and are not enough, from `offset` on.
    var held: [UInt8] = []
    /// Counts the bytes that are needed.
    var need = 1
    /// Counts the bytes that are to pass unread.
    var passing = 0
    /// Says that the message ends when they have passed.
    var endsBehind = false
    /// Says that the message ends with the stream.
    var isRest = false
    var isWoken = false
    var isEnding = false
    var tries = 0
    /// The number of messages that were read.
    var messages = 0
    /// Whether the direction has a dissector of its own.
    var isApart = false
    /// Whether the other direction's dissector gave up on this one before it read a message.
    var isRefused = false
    var message: DissectedMessage

    enum Mode {
        /// No dissector is chosen, or none for this direction.
        case detecting
        case reading
        /// The other direction decides.
        case waiting
        /// The dissector looks for a chunk that begins a message.
        case searching
        case off
    }

    init(_ direction: Direction, _ wantsFields: Bool) {
        self.direction = direction
        message = DissectedMessage(wantsFields: wantsFields)
    }

    /// Lets bytes pass unread, as many as are to, and returns how many.
    mutating func pass(_ count: Int) -> Int {
        let passed = min(count, passing)
        passing &-= passed
        offset &+= passed
        return passed
    }

    /// Turns a number of a direction into what is read next.
    mutating func letPass(_ count: Int, endsBehind: Bool) {
        passing = count
        self.endsBehind = endsBehind
    }
}

/// Keeps when requests were complete, until they are answered.
struct OpenRequests: Sendable {
    private var open: [(number: UInt64, offset: Int, time: Int64?)] = []
    static let limit = 128

    mutating func removeAll() {
        if !open.isEmpty { open.removeAll() }
    }

    /// Notes a request, or finds the one that a message answers.
    mutating func pair(_ message: inout DissectedMessage) {
        switch message.role {
        case nil: return
        case .request(let number):
            if open.count == Self.limit { open.removeFirst() }
            open.append((number, message.range.lowerBound, message.time))
        case .answer(let number):
            guard let index = open.firstIndex(where: { $0.number == number }) else { return }
            let request = open.remove(at: index)
            var delay: Int64?
            if let start = request.time, let end = message.firstTime { delay = max(end.subtractingClamped(start), 0) }
            message.answer = MessageAnswer(request: request.offset, delay: delay)
        }
    }
}

extension Int64 {
    /// Subtracts; what does not fit is the most there is.
    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (self < other ? .min : .max) : difference
    }
}
