public import WeirWire

/// The names that resolved to each address, for outputs that show them.
public final class ResolvedNames: Sendable {
    private static let bound = 4096
    private let names = Lock<[IPAddress: [String]]>([:])

    /// Makes an empty memory.
    public init() {}

    /// Returns the names that resolved to an address, in the order in which they did.
    public func names(of address: IPAddress) -> [String] { names.withLock { $0[address] ?? [] } }

    /// Adds the addresses to which a name now resolves.
    func add(_ name: String, _ endpoints: [Endpoint]) {
        names.withLock { names in
            for endpoint in endpoints where names.count < Self.bound {
                if names[endpoint.address, default: []].contains(name) { continue }
                names[endpoint.address, default: []].append(name)
            }
        }
    }
}
