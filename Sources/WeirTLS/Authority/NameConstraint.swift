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

    private static func text(_ bytes: [UInt8]) -> String {
        String(AlternativeName.address(bytes).text.dropFirst(3))
    }
}
