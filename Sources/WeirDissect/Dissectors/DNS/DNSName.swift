/// A name as DNS encodes it: labels, and pointers to earlier labels.
///
/// Source: RFC 1035 sections 3.1 and 4.1.4.
struct DNSName {
    /// The labels with dots between them; `.` for the root.
    private(set) var text: [UInt8] = []
    /// The offset of the first byte after the name.
    private(set) var end = 0
    /// Whether the name is invalid: a pointer to nothing, in a loop or forward, or a label without an end.
    private(set) var isBroken = false

    /// The maximum length of a name, in encoded bytes.
    static let longest = 255

    /// Reads the name at an offset; its text only if that is wanted.
    ///
    /// A pointer must point before everything read of the name so far, which excludes loops; reading takes no more
    /// steps than a name has bytes.
    init(_ bytes: RawSpan, at offset: Int, wantsText: Bool = true) {
        var (index, least, length) = (offset, offset, 0)
        var end: Int?
        while true {
            guard let first = bytes.byte(at: index) else { break }
            if first & 0xc0 == 0xc0 {
                guard let target = bytes.number(at: index, UInt16.self) else { break }
                end = end ?? index &+ 2
                index = Int(target & 0x3fff)
                guard index < least else { break }
                least = index
                if !wantsText {
                    self.end = end ?? index
                    return
                }
                continue
            }
            guard first & 0xc0 == 0 else { break }
            let label = (index &+ 1)..<(index &+ 1 &+ Int(first))
            guard label.upperBound <= bytes.byteCount else { break }
            if first == 0 {
                self.end = end ?? index &+ 1
                if wantsText, text.isEmpty { text = [UInt8(ascii: ".")] }
                return
            }
            length &+= label.count &+ 1
            guard length <= Self.longest else { break }
            if wantsText { append(bytes.extracting(label)) }
            index = label.upperBound
        }
        isBroken = true
        self.end = end ?? bytes.byteCount
    }

    private mutating func append(_ label: RawSpan) {
        if !text.isEmpty { text.append(UInt8(ascii: ".")) }
        label.withUnsafeBytes { text.append(contentsOf: $0) }
    }

    /// The text, with invalid UTF-8 repaired.
    var string: String { String(decoding: text, as: UTF8.self) }
}
