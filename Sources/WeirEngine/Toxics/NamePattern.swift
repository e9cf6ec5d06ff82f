/// A host's name, or the end of names after `*.`; names compare without regard to the case of ASCII and to a dot at the end.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    private static let dot = UInt8(ascii: ".")

    /// The name in lower case; if it is an end, with its leading dot.
    private let text: [UInt8]
    private let isEnd: Bool

    /// Reads `example.com` or `*.example.com`; nil if the text is neither.
    ///
    /// Source: RFC 1035 section 2.3.4, for the lengths of a name and of its labels.
    package init?(_ text: Substring) {
        isEnd = text.hasPrefix("*.")
        let name = Self.withoutLastDot(text.utf8.dropFirst(isEnd ? 2 : 0))
        let isName = name.split(separator: Self.dot, omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.count) && label.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "*") }
        }
        guard isName, name.count <= 253 else { return nil }
        self.text = (isEnd ? [Self.dot] : []) + name.map(Self.lower)
    }

    /// Returns whether a name fits, as its bytes.
    package func matches(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        let name = Self.withoutLastDot(name[...])
        guard isEnd ? name.count > text.count : name.count == text.count else { return false }
        return name.suffix(text.count).lazy.map(Self.lower).elementsEqual(text)
    }

    /// Whether this is `localhost`, the name of all loopback addresses.
    package var isLocalhost: Bool { description == "localhost" }

    /// The pattern in the form that is read.
    package var description: String { (isEnd ? "*" : "") + String(decoding: text, as: UTF8.self) }

    private static func withoutLastDot<Name: BidirectionalCollection<UInt8>>(_ name: Name) -> Name
    where Name.SubSequence == Name {
        name.last == dot ? name.dropLast() : name
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
