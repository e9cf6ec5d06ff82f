public import WeirDissect
public import WeirEngine

/// One line of the flows view: a flow, or both legs of a relayed one.
public struct FlowRow: Hashable, Sendable {
    /// The number of the flow: the relay's in a capture that Weir recorded, else from 1 in the order of the flows' first
    /// packets.
    public var number: Int
    /// The flow's place in the table; if both legs are joined, that of the client's leg.
    public var place: Int
    /// The counts of the flow; if both legs are joined, those of the client's leg.
    public var flow: ObservedFlow
    /// All endpoints of a flow that Weir recorded.
    public var path: FlowPath?
    /// The leg whose packets are counted; nil if Weir did not record the flow.
    public var leg: FlowLeg?
    /// The place and the counts of the server's leg, if the client's was found, too.
    public var serverLeg: ServerLeg?

    /// The protocol of the flow and its identifying fields, if they were found.
    public var found: FlowProbes.Found?

    /// The leg between the relay and the server.
    public struct ServerLeg: Hashable, Sendable {
        /// The leg's place in the table.
        public var place: Int
        /// The counts of the leg.
        public var flow: ObservedFlow
    }

    /// Creates a row.
    public init(number: Int, place: Int, flow: ObservedFlow, path: FlowPath? = nil, leg: FlowLeg? = nil) {
        self.number = number
        self.place = place
        self.flow = flow
        self.path = path
        self.leg = leg
    }

    /// How a TCP flow ended, if it is one; if the relay did not reach the server, that counts, and not the reset that
    /// the relay then sent on the client's leg.
    public var close: FlowClose? {
        switch serverLeg?.flow.close {
        case .refused: .refused
        case .unanswered where flow.close == .serverReset: .unanswered
        default: flow.close
        }
    }
}
