/// The options of an IPv4 header, as bytes from which options are read one at a time.
///
/// Source: RFC 791 section 3.1; IANA, IP Option Numbers.
public struct IPv4Options: Hashable, Sendable {
    /// The bytes as on the wire, with their padding.
    public var bytes: OptionBytes

    /// Creates options from their bytes.
    public init(bytes: OptionBytes = OptionBytes()) {
        self.bytes = bytes
    }
}

/// One option of an IPv4 header.
///
/// An option of a known kind with a length that its kind does not allow is `other`.
public enum IPv4Option: Hashable, Sendable {
    /// The end of the list; the rest is padding.
    case endOfList
    /// Padding of one byte.
    case noOperation
    /// The routers that the packet passed or has to pass.
    case route(IPv4Route)
    /// A request that routers examine the packet (RFC 2113).
    case routerAlert(UInt16)
    /// An option of any other kind, with the range of its content in bytes from the start of the options.
    case other(kind: UInt8, content: Range<Int>)
    /// The start of bytes that are no valid options: a length is missing, too small or too large.
    case malformed(kind: UInt8, at: Int)
}

/// A list of routers in an IPv4 option.
///
/// Source: RFC 791 section 3.1.
public struct IPv4Route: Hashable, Sendable {
    /// The three options with a list of routers.
    public enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        /// Record route: the routers on the way fill in their addresses.
        case record = 7
        /// Loose source route: routers to pass, with others allowed between them.
        case loose = 131
        /// Strict source route: the only routers to pass.
        case strict = 137
    }

    /// The purpose of the list.
    public let kind: Kind
    /// The position of the next address to use, from 0; equal to `count` if all were used.
    public let next: Int
    /// The number of addresses that there is room for, 0 to 9.
    public let count: Int
    private let bytes: OptionBytes
    private let start: Int

    init?(kind: Kind, in bytes: OptionBytes, content: Range<Int>) {
        guard content.count % 4 == 1 else { return nil }
        let pointer = Int(bytes[content.lowerBound])
        // The pointer counts from the option's kind byte, whose number is 1.
        guard pointer >= 4, pointer % 4 == 0 else { return nil }
        self.kind = kind
        self.count = content.count / 4
        self.next = min(pointer / 4 - 1, count)
        self.bytes = bytes
        self.start = content.lowerBound + 1
    }

    /// Reads one address.
    ///
    /// - Precondition: `index` is between 0 and `count - 1`.
    public subscript(index: Int) -> IPAddress {
        precondition(index >= 0 && index < count, "an index past the addresses")
        let position = start &+ index &* 4
        return IPAddress(v4: UInt32(truncatingIfNeeded: bytes.number(in: position..<(position &+ 4))))
    }
}

extension IPv4Options: Sequence {
    /// Returns the options in order; a malformed one is the last.
    public func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    /// An iterator over the options of a header.
    public struct Iterator: IteratorProtocol {
        let bytes: OptionBytes
        var offset = 0

        /// Returns the next option; nil after the last.
        public mutating func next() -> IPv4Option? {
            switch bytes.nextOption(at: &offset) {
            case nil: return nil
            case .endOfList: return .endOfList
            case .noOperation: return .noOperation
            case .malformed(let kind, let place): return .malformed(kind: kind, at: place)
            case .content(let kind, let content):
                if kind == 148, content.count == 2 {
                    return .routerAlert(UInt16(truncatingIfNeeded: bytes.number(in: content)))
                }
                let route = IPv4Route.Kind(rawValue: kind).flatMap { IPv4Route(kind: $0, in: bytes, content: content) }
                return route.map { .route($0) } ?? .other(kind: kind, content: content)
            }
        }
    }
}
