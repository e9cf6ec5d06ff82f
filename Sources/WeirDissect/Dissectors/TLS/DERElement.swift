/// One element of DER: a tag, a length and contents.
///
/// Source: ITU-T X.690 sections 8.1 and 10.
struct DERElement {
    /// The tag of one byte, with its class and the bit for constructed elements.
    var tag: UInt8
    /// The range of the contents.
    var contents: Range<Int>

    /// Whether the contents are elements.
    var isConstructed: Bool { tag & 0x20 != 0 }

    /// Reads the element that begins at an offset and ends within a range; nil if there is none.
    init?(_ bytes: RawSpan, at offset: Int, in range: Range<Int>) {
        guard offset >= range.lowerBound, offset < range.upperBound, let tag = bytes.byte(at: offset),
            tag & 0x1f != 0x1f, let first = bytes.byte(at: offset &+ 1)
        else { return nil }
        var (length, start) = (Int(first), offset &+ 2)
        if first >= 0x80 {
            let count = Int(first & 0x7f)
            // More bytes would exceed any possible length, and 0 is the indefinite length, which DER does not allow.
            guard count >= 1, count <= 4 else { return nil }
            length = 0
            for index in 0..<count {
                guard let byte = bytes.byte(at: start &+ index) else { return nil }
                length = length << 8 | Int(byte)
            }
            start &+= count
        }
        guard length <= min(range.upperBound, bytes.byteCount) &- start else { return nil }
        self.tag = tag
        contents = start..<(start &+ length)
    }

    /// Reads the elements in a range, up to the first invalid one.
    static func list(_ bytes: RawSpan, in range: Range<Int>, upTo limit: Int = 256) -> [DERElement] {
        var (elements, index): ([DERElement], Int) = ([], range.lowerBound)
        while elements.count < limit, let element = DERElement(bytes, at: index, in: range) {
            elements.append(element)
            index = element.contents.upperBound
        }
        return elements
    }
}
