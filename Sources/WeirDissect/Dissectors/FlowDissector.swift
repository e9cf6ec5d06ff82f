public import WeirWire

/// A reader of the messages of one flow, from the bytes of both its directions, chunk by chunk.
///
///     var dissector = FlowDissector(.tcp, clientPort: 50000, serverPort: 80)
///     dissector.add(bytes, .upstream, at: time) { message in ... }
///     dissector.finish { message in ... }
///
/// A chunk is a part of a stream, of any size, or one datagram. The first bytes decide the protocol, and if they do
/// not, the ports; if the chosen dissector gives up, another one may fit. A direction that speaks another protocol than
/// the other one gets a dissector of its own, as for an HTTP answer to a TLS client. A message is delivered with the
/// chunk that completes it.
///
/// A flow keeps at most `heldLimit` bytes of each direction for an incomplete message, and what is known of that
/// message: its fields, up to 512 of them. A chunk costs no copy unless a message is cut at its end.
public struct FlowDissector: Sendable {
    /// The maximum number of bytes of each direction that are buffered for an incomplete message.
    public static let heldLimit = 132 << 10
    /// The maximum number of chunks of a direction that are searched for the protocol, if no port decides it.
    static let tryLimit = 64
    /// The maximum number of bytes that `recognize` of a dissector may ask for, and so of those that are buffered for it.
    static let detectionLimit = 64

    let transport: Transport
    let clientPort: UInt16
    let serverPort: UInt16
    let wantsFields: Bool
    var sides: [DissectedSide]
    /// The dissector of both directions, except of one that is apart.
    var dissector: (any Dissector)?
    var chosen: StaticString = ""
    /// The separate dissector of a direction with another protocol; nil unless `dissector` is set and a side is apart.
    var apart: (any Dissector)?
    var chosenApart: StaticString = ""
    var excluded: UInt64 = 0
    var requests = OpenRequests()
    /// The layer of the bytes that were read last.
    var layer = StreamPiece.Layer.stream
    /// The bytes that were looked at, while a caller asks for them.
    var looks: Looks?
    /// The name of the protocol, once a message of it was read.
    public internal(set) var name: StaticString?
    /// The number of messages delivered.
    public internal(set) var messages = 0
    /// The values that identify the flow: the first one of each kind.
    public internal(set) var findings: [Finding: String] = [:]

    /// A closure that receives a message, lent for the call.
    public typealias Receiver = (Message) -> Void

    /// Creates the state of a flow of which nothing was seen yet.
    ///
    /// - Parameters:
    ///   - transport: The transport of the flow.
    ///   - clientPort: The port of the side that opened it.
    ///   - serverPort: The other side's port.
    ///   - wantsFields: Whether messages get all their fields, or only those that identify a flow.
    public init(_ transport: Transport, clientPort: UInt16, serverPort: UInt16, wantsFields: Bool = true) {
        self.transport = transport
        self.clientPort = clientPort
        self.serverPort = serverPort
        self.wantsFields = wantsFields
        sides = [DissectedSide(.upstream, wantsFields), DissectedSide(.downstream, wantsFields)]
    }

    /// Whether no more messages can be found, so that no more bytes are needed.
    public var hasGivenUp: Bool { sides.allSatisfy { $0.mode == .off } }

    /// Lends the incomplete message of a direction, with the fields read so far.
    ///
    /// - Parameters:
    ///   - direction: The direction of the message.
    ///   - receiver: Receives the message, if there is one.
    public func unfinished(_ direction: Direction, to receiver: Receiver) {
        var message = sides[Int(direction.rawValue)].message
        guard message.isBegun, !message.summary.isEmpty else { return }
        requests.look(&message)
        receiver(message.content)
    }

    /// Returns the place of the bytes that wait for further ones of their direction; nil if none do.
    package func waitingBytes(_ direction: Direction) -> Range<Int>? {
        let side = sides[Int(direction.rawValue)]
        return side.held.isEmpty ? nil : side.offset..<(side.offset &+ side.held.count)
    }

    /// Reads the next part of a stream, or one datagram.
    ///
    /// Complexity: O(n) in the bytes, without those of a message's body.
    ///
    /// - Parameters:
    ///   - bytes: The bytes; of a truncated datagram, the captured ones.
    ///   - direction: The direction of the bytes.
    ///   - time: The time of their arrival, in nanoseconds since 1970 UTC.
    ///   - receiver: Receives the messages that end in these bytes.
    public mutating func add(_ bytes: RawSpan, _ direction: Direction, at time: Int64?, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        sides[side].time = time
        if transport == .udp { return addDatagram(bytes, side, receiver) }
        addStream(bytes, side, receiver)
        readWoken(receiver)
    }

    /// Reads the buffered bytes of directions that were waiting for the other one.
    mutating func readWoken(_ receiver: Receiver) {
        while let side = sides.firstIndex(where: { $0.isWoken }) {
            sides[side].isWoken = false
            addStream(RawSpan(), side, receiver)
        }
    }

    /// Continues after missing bytes of a stream.
    ///
    /// A message with the missing bytes in its body continues after them; any other message is lost.
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

    /// Ends the reading, because no more bytes will arrive.
    ///
    /// Incomplete messages are delivered as such; so is one that continues to the end of its stream, unless `finish`
    /// was called for its direction.
    public mutating func finish(to receiver: Receiver) {
        for direction in Direction.allCases { finish(direction, isEnd: false, to: receiver) }
    }

    /// Ends one direction, whose source has sent its last byte.
    public mutating func finish(_ direction: Direction, to receiver: Receiver) {
        finish(direction, isEnd: true, to: receiver)
    }

    private mutating func finish(_ direction: Direction, isEnd: Bool, to receiver: Receiver) {
        let side = Int(direction.rawValue)
        guard sides[side].mode != .off else { return }
        if sides[side].mode == .detecting, !sides[side].held.isEmpty {
            // No further bytes will arrive.
            sides[side].isEnding = true
            addStream(RawSpan(), side, receiver)
        }
        if sides[side].isRest { emit(side, isComplete: isEnd, receiver) } else { abandon(side, receiver) }
        sides[side].mode = .off
        readWoken(receiver)
    }

    /// Swaps upstream and downstream, because the client turned out to be the other side.
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

/// The progress of reading one direction.
struct DissectedSide: Sendable {
    var direction: Direction
    /// The number of bytes of the stream that were read.
    var offset = 0
    var time: Int64?
    var mode = Mode.detecting
    /// Buffered bytes that are not enough yet, from `offset` on.
    var held: [UInt8] = []
    /// The number of bytes needed.
    var need = 1
    /// The number of bytes still to skip unread.
    var passing = 0
    /// Whether the message ends with the skipped bytes.
    var endsBehind = false
    /// Whether the message ends with the stream.
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
        /// The protocol is not known yet, or not for this direction.
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

    /// Skips bytes unread, as many as are due, and returns their number.
    mutating func pass(_ count: Int) -> Int {
        let passed = min(count, passing)
        passing &-= passed
        offset &+= passed
        return passed
    }

    /// Skips a number of bytes before anything else is read.
    mutating func letPass(_ count: Int, endsBehind: Bool) {
        passing = count
        self.endsBehind = endsBehind
    }
}

/// The requests that are not answered yet, with their times.
struct OpenRequests: Sendable {
    private struct Request: Sendable {
        var number: UInt64
        var offset: Int
        var time: Int64?
        /// The time at which the first part of its answer began.
        var answered: Int64?
    }

    private var open: [Request] = []
    static let limit = 128

    mutating func removeAll() {
        if !open.isEmpty { open.removeAll() }
    }

    /// Records a request or a part of an answer, or finds the request that a message answers.
    mutating func pair(_ message: inout DissectedMessage) {
        switch message.role {
        case nil: return
        case .request(let number):
            message.content.isRequest = true
            if open.count == Self.limit { open.removeFirst() }
            open.append(Request(number: number, offset: message.range.lowerBound, time: message.time))
        case .part(let number):
            guard let index = open.firstIndex(where: { $0.number == number }), open[index].answered == nil else {
                return
            }
            open[index].answered = message.firstTime
        case .answer(let number):
            guard let index = open.firstIndex(where: { $0.number == number }) else { return }
            message.answer = answer(to: open.remove(at: index), at: message.firstTime)
        }
    }

    /// Notes in a message that is not whole yet what it is: a request, or the answer to one that stays open.
    func look(_ message: inout DissectedMessage) {
        switch message.role {
        case nil, .part: return
        case .request: message.content.isRequest = true
        case .answer(let number):
            guard let request = open.first(where: { $0.number == number }) else { return }
            message.answer = answer(to: request, at: message.firstTime)
        }
    }

    private func answer(to request: Request, at time: Int64?) -> MessageAnswer {
        var delay: Int64?
        if let start = request.time, let end = request.answered ?? time {
            delay = max(end.subtractingClamped(start), 0)
        }
        return MessageAnswer(request: request.offset, delay: delay)
    }
}

extension Int64 {
    /// Subtracts, clamped to 64 bits.
    fileprivate func subtractingClamped(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (self < other ? .min : .max) : difference
    }
}
