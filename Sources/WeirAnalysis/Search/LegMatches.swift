public import WeirEngine
import WeirWire

/// A choice of the matches in relayed flows, so that each is shown once: those of the client's leg, and of the server's leg
/// only what is not on that one.
public struct LegMatches: Sendable {
    private struct Mark: Hashable {
        var flow: Int
        var direction: Direction
        var offset: Int
        var bytes: [UInt8]

        init(_ match: GrepMatch, _ flow: Int) {
            self.flow = flow
            direction = match.direction
            offset = match.offset
            bytes = match.bytes
        }
    }

    private var seen: [Mark: Int] = [:]
    private var waiting: [(match: GrepMatch, flow: Int)] = []
    private let only: FlowLeg?
    /// The maximum number of matches that wait for the other leg.
    private static let limit = 1 << 16

    /// Creates a choice that knows no match.
    ///
    /// - Parameter only: The leg whose matches alone are shown; nil for both, as described.
    public init(only: FlowLeg? = nil) { self.only = only }

    /// Takes the next match in a flow.
    ///
    /// - Parameters:
    ///   - match: The match.
    ///   - flow: The number of its flow.
    ///   - leg: The leg on which it was captured; nil if the flow has one leg, or the other one was not found.
    ///   - receiver: Shows it.
    public mutating func add(
        _ match: GrepMatch,
        of flow: Int,
        _ leg: FlowLeg?,
        to receiver: (GrepMatch, FlowLabel) -> Void
    ) {
        if let only {
            if leg == only { receiver(match, FlowLabel(number: flow, leg: leg)) }
            return
        }
        guard leg == .server else {
            if leg != nil { seen[Mark(match, flow), default: 0] += 1 }
            return receiver(match, FlowLabel(number: flow))
        }
        waiting.append((match, flow))
        if waiting.count >= Self.limit { finish(to: receiver) }
    }

    /// Shows what is on the server's leg alone.
    public mutating func finish(to receiver: (GrepMatch, FlowLabel) -> Void) {
        for (match, flow) in waiting {
            let mark = Mark(match, flow)
            if let count = seen[mark], count > 0 {
                seen[mark] = count > 1 ? count - 1 : nil
            } else {
                receiver(match, FlowLabel(number: flow, leg: .server))
            }
        }
        waiting = []
    }
}
