/// A position among the options of a block, whose bytes are not copied.
///
/// Source: draft-ietf-opsawg-pcapng section 3.5.
struct OptionCursor {
    /// An option, with the range of its value in the window.
    struct Found {
        let code: UInt16
        let range: Range<Int>
    }

    let order: ByteOrder
    /// The offset in the file of the window's first byte.
    let base: Int
    private var offset: Int
    private let end: Int

    /// Creates a cursor over a part of a window.
    init(_ range: Range<Int>, base: Int, _ order: ByteOrder) {
        self.order = order
        self.base = base
        self.offset = range.lowerBound
        self.end = range.upperBound
    }

    /// Moves to the next option; nil at the end of the list or of the block.
    @inline(__always)
    mutating func next(in window: RawSpan) throws(CaptureFileError) -> Found? {
        let left = end &- offset
        if left == 0 { return nil }
        guard left >= 4 else {
            throw .malformed(.optionBeyondBlock(code: CommonOption.end, length: left), at: base + offset)
        }
        let code = window.number(UInt16.self, at: offset, order)
        let length = Int(window.number(UInt16.self, at: offset &+ 2, order))
        guard padded(length) <= left &- 4 else {
            throw .malformed(.optionBeyondBlock(code: code, length: length), at: base + offset)
        }
        let start = offset &+ 4
        if code == CommonOption.end {
            offset = end
            return nil
        }
        offset = start &+ padded(length)
        return Found(code: code, range: Range(uncheckedBounds: (start, start &+ length)))
    }
}

extension OptionCursor {
    /// Returns an option's number; nil if it has the wrong length, or was already read.
    func number<Value: FixedWidthInteger & BitwiseCopyable>(
        _ found: Found,
        unless known: Value?,
        in window: RawSpan
    ) -> Value? {
        guard known == nil, found.range.count == MemoryLayout<Value>.size else { return nil }
        return window.number(Value.self, at: found.range.lowerBound, order)
    }

    /// Returns an option as it is in the file.
    func raw(_ found: Found, in window: RawSpan) -> CaptureOption {
        guard CaptureOption.CustomCode(rawValue: found.code) != nil, found.range.count >= 4 else {
            return CaptureOption(code: found.code, bytes: window.bytes(found.range))
        }
        let enterprise = window.number(UInt32.self, at: found.range.lowerBound, order)
        let bytes = window.bytes(found.range.dropFirst(4))
        return CaptureOption(code: found.code, enterprise: enterprise, bytes: bytes)
    }

    /// Makes the error of an option whose length does not fit its code.
    func wrongLength(_ found: Found) -> CaptureFileError {
        let damage = CaptureDamage.optionLength(code: found.code, length: found.range.count)
        return .malformed(damage, at: base + found.range.lowerBound - 4)
    }

    /// Checks that a custom option is long enough for its enterprise number.
    func check(custom found: Found) throws(CaptureFileError) {
        guard found.range.count < 4, CaptureOption.CustomCode(rawValue: found.code) != nil else { return }
        throw wrongLength(found)
    }
}
