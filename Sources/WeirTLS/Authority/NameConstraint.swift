import WeirWire

/// A name, or a range of addresses, to which an authority is constrained.
///
/// Source: RFC 5280 section 4.2.1.10.
package enum NameConstraint: Hashable, Sendable {
    /// A host and all hosts below it.
    case host(String)
    /// A range of addresses: an address, and a mask of as many bytes.
    case network(address: [UInt8], mask: [UInt8])

    /// The constraint as OpenSSL's configuration has it.
    var text: String {
        switch self {
        case .host(let name): "DNS:\(name)"
        case .network(let address, let mask): "IP:\(Self.text(address))/\(Self.text(mask))"
        }
    }

    /// Reads a constraint as OpenSSL prints it: `example.com` or `10.0.0.0/255.0.0.0`.
    init?(printed text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2 else {
            self = .host(text.lowercased())
            return
        }
        guard let address = IPAddress(String(parts[0])), let mask = IPAddress(String(parts[1])) else { return nil }
        self = .network(address: address.octets, mask: mask.octets)
    }

    /// Returns whether a name is within the constraint.
    func allows(_ name: AlternativeName) -> Bool {
        switch (self, name) {
        case (.host(let host), .host(let name)):
            let name = name.hasPrefix("*.") ? String(name.dropFirst(2)) : name
            return name == host || name.hasSuffix(".\(host)")
        case (.network(let network, let mask), .address(let address)):
            guard network.count == address.count, mask.count == address.count else { return false }
            return address.indices.allSatisfy { address[$0] & mask[$0] == network[$0] & mask[$0] }
        case (.host, .address), (.network, .host): return false
        }
    }

    /// Returns whether a certificate may have a name: if names of its kind are constrained, it must be within one of the constraints.
    static func allow(_ name: AlternativeName, _ constraints: [NameConstraint]) -> Bool {
        let ofKind = constraints.filter { $0.isOfHosts == name.isHost }
        return ofKind.isEmpty || ofKind.contains { $0.allows(name) }
    }

    private var isOfHosts: Bool { if case .host = self { true } else { false } }

    private static func text(_ bytes: [UInt8]) -> String {
        String(AlternativeName.address(bytes).text.dropFirst(3))
    }
}

extension AlternativeName {
    fileprivate var isHost: Bool { if case .host = self { true } else { false } }
}
