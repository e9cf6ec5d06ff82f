public import WeirWire

/// Remembers which names have led to an address, for whoever shows them.
public final class ResolvedNames: Sendable {
    private static let bound = 4096
    private let names = Lock<[IPAddress: [String]]>([:])

    /// Makes an empty memory.
    public init() {}

    /// Lists the names that an address had, in the order in which they were resolved.
    public func names(of address: IPAddress) -> [String] { names.withLock { $0[address] ?? [] } }

    /// Remembers the addresses that a name has now.
    func add(_ name: String, _ endpoints: [Endpoint]) {
        names.withLock { names in
            for endpoint in endpoints where names.count < Self.bound {
                if names[endpoint.address, default: []].contains(name) { continue }
                names[endpoint.address, default: []].append(name)
            }
        }
    }
}
