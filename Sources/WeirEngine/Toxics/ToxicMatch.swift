public import WeirWire

/// A condition on the flows that meet a toxic: everything that is set must hold.
public struct ToxicMatch: Hashable, Sendable {
    /// A range of addresses that share the first bits of one address.
    public struct Network: Hashable, Sendable, CustomStringConvertible {
        /// An address in the range.
        public var address: IPAddress
        /// The prefix length, 0...32 (IPv4) or 0...128 (IPv6).
        public var bits: Int

        /// Creates a range.
        public init(_ address: IPAddress, bits: Int? = nil) {
            self.address = address
            let all = address.isV4 ? 32 : 128
            self.bits = Swift.min(Swift.max(bits ?? all, 0), all)
        }

        /// Reads `10.0.0.0/8` or a single address; nil if the text is neither.
        public init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = IPAddress(parts[0]) else { return nil }
            guard parts.count == 2 else {
                self.init(address)
                return
            }
            guard let bits = Int(parts[1]), bits >= 0, bits <= (address.isV4 ? 32 : 128) else { return nil }
            self.init(address, bits: bits)
        }

        /// Returns whether an address is in the range.
        public func contains(_ other: IPAddress) -> Bool {
            guard address.isV4 == other.isV4 else { return false }
            let (high, low) = (address.high ^ other.high, address.low ^ other.low)
            // An IPv4 address takes the last 32 of the 128 bits.
            let bits = address.isV4 ? bits + 96 : bits
            if bits <= 64 { return high >> UInt64(64 - bits) == 0 }
            return high == 0 && low >> UInt64(128 - bits) == 0
        }

        /// The range in the form that `init(_:)` reads.
        public var description: String { bits == (address.isV4 ? 32 : 128) ? "\(address)" : "\(address)/\(bits)" }
    }

    /// The range of the client's address.
    public var client: Network?
    /// The range of the client's port.
    public var ports: ClosedRange<UInt16>?
    /// The first bytes that the client sends.
    ///
    /// Until they are known, everything passes unchanged; so does a flow whose first bytes passed before.
    public var prefix: BytePattern?
    /// The maximum number of flows: only the first so many that begin after the toxic was added.
    public var flows: Int?

    /// Creates a condition, by default one that holds for all flows.
    public init(
        client: Network? = nil,
        ports: ClosedRange<UInt16>? = nil,
        prefix: BytePattern? = nil,
        flows: Int? = nil
    ) {
        self.client = client
        self.ports = ports
        self.prefix = prefix
        self.flows = flows
    }

    /// Returns whether the conditions hold that can be checked before any bytes arrive.
    ///
    /// - Parameters:
    ///   - client: the client's address and port.
    ///   - number: the flow's number on its route, from 1.
    ///   - since: the number of flows on the route when the toxic was added.
    /// - Returns: whether all of these conditions hold.
    func admits(_ client: Endpoint, number: UInt64, since: UInt64) -> Bool {
        if let network = self.client, !network.contains(client.address) { return false }
        if let ports, !ports.contains(client.port) { return false }
        if let flows, number <= since || number - since > UInt64(Swift.max(flows, 0)) { return false }
        return true
    }
}
