public import WeirEngine
public import WeirWire

/// The settings of a capture of relayed traffic.
public struct CaptureSettings: Sendable {
    /// The formats of a capture file.
    public enum Format: String, Sendable, CaseIterable {
        /// Pcapng, with the legs as two interfaces, comments, names and statistics.
        case pcapng
        /// Pcap: packets only, with times in ns.
        case pcap
    }

    /// The legs that are written.
    public enum Legs: String, Sendable, CaseIterable {
        /// Both legs.
        case both
        /// The traffic between clients and the relay.
        case client
        /// The traffic between the relay and servers.
        case server
    }

    /// What the file holds of flows with TLS.
    public enum TLS: String, Sendable, CaseIterable {
        /// The plaintext, as it came and went on.
        case plain
        /// The encrypted bytes of each leg as they were on the wire, with the secrets that decrypt them; needs pcapng.
        case cipher
    }

    /// The format of the file.
    public var format = Format.pcapng
    /// The legs in the file.
    public var legs = Legs.both
    /// What the file holds of flows with TLS.
    public var tls = TLS.plain
    /// The maximum size of an IP packet that carries TCP, in bytes, 576...65535; a datagram stays whole.
    public var largestPacket = 65_535
    /// The name of the program that writes the file.
    public var application = "weir"
    /// The name of the system on which it runs.
    public var operatingSystem: String?
    /// A function that returns the names that the relay resolved to an address.
    public var names: @Sendable (IPAddress) -> [String] = { _ in [] }
    /// A function that finds the client's process; nil if the search is off.
    ///
    /// The comment on a flow's first packets names it, and in pcapng each packet that the client sent has its number.
    public var process: ProcessLookup?
    /// The seed of the first sequence numbers.
    public var seed: UInt64

    /// Creates the settings of a pcapng capture of both legs.
    ///
    /// - Parameter seed: the seed of the first sequence numbers; the same seed and records give the same file.
    public init(seed: UInt64) {
        self.seed = seed
    }

    /// Whether flows with TLS are written as they were on the wire.
    var isCipher: Bool { tls == .cipher && format == .pcapng }

    /// Returns whether a leg is written.
    func includes(_ leg: FlowLeg) -> Bool {
        switch legs {
        case .both: true
        case .client: leg == .client
        case .server: leg == .server
        }
    }
}
