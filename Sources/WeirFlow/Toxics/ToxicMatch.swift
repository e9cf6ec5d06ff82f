public import WeirWire

/// Says which flows meet a toxic: those for which everything that is set holds.
public struct ToxicMatch: Hashable, Sendable {
    /// Holds a range of addresses: those with the first bits of one address.
    public struct Network: Hashable, Sendable, CustomStringConvertible {
        /// Holds an address in the range.
        public var address: IPAddress
        /// Counts the bits that count, from 0 to 32 or 128.
        public var bits: Int

        /// Makes a range.
        public init(_ address: IPAddress, bits: Int? = nil) {
            self.address = address
            let all = address.isV4 ? 32 : 128
            self.bits = Swift.min(Swift.max(bits ?? all, 0), all)
        }

        /// Reads `10.0.0.0/8` or an address alone; nil where the text is neither.
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

        /// Tells whether an address is in the range.
        public func contains(_ other: IPAddress) -> Bool {
            guard address.isV4 == other.isV4 else { return false }
            let (high, low) = (address.high ^ other.high, address.low ^ other.low)
            // An IPv4 address is the last 32 bits of the 128.
            let bits = address.isV4 ? bits + 96 : bits
            if bits <= 64 { return high >> UInt64(64 - bits) == 0 }
            return high == 0 && low >> UInt64(128 - bits) == 0
        }

        /// Prints the range as it is read.
        public var description: String { bits == (address.isV4 ? 32 : 128) ? "\(address)" : "\(address)/\(bits)" }
    }

    /// Asks for a client's address.
    public var client: Network?
    /// Asks for a client's port.
    public var ports: ClosedRange<UInt16>?
    /// Asks for the first bytes that the client sends.
    ///
    /// What comes before they are known goes by untouched, and so does a flow on which they went by before.
    public var prefix: BytePattern?
    /// Asks for the flow's number: one of the first so many that begin after the toxic was added.
    public var flows: Int?

    /// Makes a condition that holds for all flows.
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

    /// Tells whether what is known from the start holds.
    ///
    /// - Parameters:
    ///   - client: where the client sends from.
    ///   - number: the flow's number on its route, from 1.
    ///   - since: how many flows there had been when the toxic was added.
    /// - Returns: whether all of it holds.
    func admits(_ client: Endpoint, number: UInt64, since: UInt64) -> Bool {
        if let network = self.client, !network.contains(client.address) { return false }
        if let ports, !ports.contains(client.port) { return false }
        if let flows, number <= since || number - since > UInt64(Swift.max(flows, 0)) { return false }
        return true
    }
}
