import WeirDissect
public import WeirEngine
public import WeirWire

/// A choice of the messages of relayed flows, so that each is shown once: those of the client's leg, and of the
/// server's leg only what differs.
///
/// What went up is captured on the client's leg first, what came down on the server's. So a message that came down waits
/// until it appears on the client's leg, too, or another one does.
public struct LegMessages: Sendable {
    /// The maximum number of messages of a flow and direction that wait for the other leg.
    static let limit = 256

    /// A closure that shows a message of a flow; the leg is that of a message which is not on the other leg.
    public typealias Receiver = (Message, FlowLabel) -> Void

    /// What two messages must have in common to be one.
    fileprivate struct Mark: Hashable {
        private var text: Int
        private var digest: UInt64?

        init(_ message: Message) {
            var hasher = Hasher()
            hasher.combine("\(message.name)")
            hasher.combine(message.summary)
            hasher.combine(message.range.count)
            hasher.combine(message.isComplete)
            text = hasher.finalize()
            digest = message.digest
        }

        /// Returns whether nothing tells the two apart: an unknown digest does not.
        func matches(_ other: Mark) -> Bool {
            text == other.text && (digest == other.digest || digest == nil || other.digest == nil)
        }
    }

    private struct Pair: Hashable {
        var flow: Int
        var direction: Direction
    }

    /// The messages that have no partner yet.
    fileprivate struct Waiting: Sendable {
        var client: [Mark] = []
        var server: [Message] = []
    }

    private var waiting: [Pair: Waiting] = [:]
    private let only: FlowLeg?

    /// Creates a choice that knows no message.
    ///
    /// - Parameter only: The leg whose messages alone are shown; nil for both, as described.
    public init(only: FlowLeg? = nil) {
        self.only = only
    }

    /// Takes the next message of a flow.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - flow: The number of its flow.
    ///   - leg: The leg on which it was captured; nil if the flow has one leg, or the other one was not found.
    ///   - receiver: Shows messages: this one, or one that waited.
    public mutating func add(_ message: Message, of flow: Int, _ leg: FlowLeg?, to receiver: Receiver) {
        guard only == nil else {
            if leg == only { receiver(message, FlowLabel(number: flow, leg: leg)) }
            return
        }
        guard let leg else { return receiver(message, FlowLabel(number: flow)) }
        let pair = Pair(flow: flow, direction: message.direction)
        var now = waiting.removeValue(forKey: pair) ?? Waiting()
        switch leg {
        case .client:
            takeClients(message, flow, &now, receiver)
            receiver(message, FlowLabel(number: flow))
        case .server: takeServers(message, flow, &now, receiver)
        }
        if !now.client.isEmpty || !now.server.isEmpty { waiting[pair] = now }
    }

    /// Shows the messages that never appeared on the other leg.
    public mutating func finish(to receiver: Receiver) {
        for (pair, rest) in waiting.sorted(by: { $0.key.flow < $1.key.flow }) {
            for message in rest.server { receiver(message, FlowLabel(number: pair.flow, leg: .server)) }
        }
        waiting = [:]
    }

    private func takeClients(_ message: Message, _ flow: Int, _ now: inout Waiting, _ receiver: Receiver) {
        let mark = Mark(message)
        guard !now.server.isEmpty else { return now.add(mark) }
        // Without a partner, this message is what became of the one that has waited longest.
        let found = now.server.firstIndex { Mark($0).matches(mark) }
        for other in now.server[..<(found ?? 1)] { receiver(other, FlowLabel(number: flow, leg: .server)) }
        now.server.removeFirst((found ?? 0) + 1)
    }

    private func takeServers(_ message: Message, _ flow: Int, _ now: inout Waiting, _ receiver: Receiver) {
        let mark = Mark(message)
        if let found = now.client.firstIndex(where: { $0.matches(mark) }) {
            // Those before it never reached the server.
            return now.client.removeFirst(found + 1)
        }
        guard message.direction == .downstream else {
            if !now.client.isEmpty { now.client.removeFirst() }
            return receiver(message, FlowLabel(number: flow, leg: .server))
        }
        now.server.append(message)
        guard now.server.count > Self.limit else { return }
        receiver(now.server.removeFirst(), FlowLabel(number: flow, leg: .server))
    }
}

extension LegMessages.Waiting {
    /// Adds a message of the client's leg; too many of them are of a leg that the server's lacks.
    fileprivate mutating func add(_ mark: LegMessages.Mark) {
        client.append(mark)
        if client.count > LegMessages.limit { client.removeFirst() }
    }
}
