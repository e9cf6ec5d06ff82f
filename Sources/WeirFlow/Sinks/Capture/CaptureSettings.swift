public import WeirWire

/// Names one side of a flow.
@frozen
public enum FlowLeg: UInt8, Hashable, Sendable, CaseIterable {
    /// Joins the client and the relay's listener.
    case client
    /// Joins the relay's egress and the server.
    case server
}

/// Says what a capture of relayed traffic is to hold.
public struct CaptureSettings: Sendable {
    /// Names the formats of a capture file.
    public enum Format: String, Sendable, CaseIterable {
        /// Holds both legs apart, comments, names and statistics.
        case pcapng
        /// Holds packets alone, with times in nanoseconds.
        case pcap
    }

    /// Chooses the legs that are written.
    public enum Legs: String, Sendable, CaseIterable {
        /// Takes both.
        case both
        /// Takes what goes between clients and the relay.
        case client
        /// Takes what goes between the relay and servers.
        case server
    }

    /// Says what the file looks like.
    public var format = Format.pcapng
    /// Says which legs it holds.
    public var legs = Legs.both
    /// Bounds an IP packet that carries TCP, in bytes, from 576 to 65,535; a datagram stays whole.
    public var largestPacket = 65_535
    /// Names the program that writes the file.
    public var application = "weir"
    /// Names the system that it runs on.
    public var operatingSystem: String?
    /// Gives the names that the relay has resolved to an address.
    public var names: @Sendable (IPAddress) -> [String] = { _ in [] }
    /// Answers which process a client is, for the comment on a flow's first packets; nil where nobody looks.
    public var process: ProcessLookup?
    /// Is what the first sequence numbers are drawn from.
    public var seed: UInt64

    /// Makes the settings of a pcapng capture of both legs.
    ///
    /// - Parameter seed: what the first sequence numbers are drawn from; the same seed and records give the same file.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Says whether a leg is written.
    func includes(_ leg: FlowLeg) -> Bool {
        switch legs {
        case .both: true
        case .client: leg == .client
        case .server: leg == .server
        }
    }
}
