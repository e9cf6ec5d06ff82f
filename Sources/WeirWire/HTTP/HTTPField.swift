/// A header field, in ranges of the bytes that hold it.
///
/// Source: RFC 9112 section 5.
package struct HTTPField: Hashable, Sendable {
    /// The name: everything before the first colon.
    package let name: Range<Int>
    /// The value, without the blanks around it.
    package let value: Range<Int>

    /// Reads a line, which must lie within the bytes; nil if it has no colon.
    package init?(_ bytes: RawSpan, _ line: Range<Int>) {
        guard let colon = bytes.find(UInt8(ascii: ":"), in: line) else { return nil }
        name = line.lowerBound..<colon
        value = HTTPText.trimmed(bytes, (colon + 1)..<line.upperBound)
    }

    /// Returns whether the field has a name, given in lower case.
    package func isNamed(_ name: StaticString, in bytes: RawSpan) -> Bool { HTTPText.equals(bytes, self.name, name) }

    /// Returns whether the name is a token.
    ///
    /// Readers disagree about any other: a line that continues the one before begins with a blank, and a blank before
    /// the colon hides a field from some.
    func hasTokenName(in bytes: RawSpan) -> Bool {
        !name.isEmpty && name.allSatisfy { HTTPText.isOfToken(HTTPText.octet(bytes, $0)) }
    }
}
